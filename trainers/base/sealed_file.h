// Zip files that are written whole or not at all, and read whole or refused.
//
// A checkpoint is a zip archive (the format of torch.save). Its checksum lives
// in the archive's own comment, which every zip reader skips, so a sealed file
// is still one file and still loads with torch.load.

#ifndef GSG_TRAINERS_BASE_SEALED_FILE_H_
#define GSG_TRAINERS_BASE_SEALED_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsg {

// A seal takes so many bytes behind the archive.
inline constexpr size_t kSealSize = 19;

// Both work in place: archives are as large as a network. After an error the
// bytes are what they were.

// Adds a CRC-32C of the archive to its comment. The archive must be a zip
// without a comment.
// Errors: kInvalidArgument if it is not.
absl::Status Seal(std::string& zip);

// Makes a sealed archive what Seal() got.
// Errors: kDataLoss if the bytes are not those that were sealed; `name` is the
// file's name for the message.
absl::Status Unseal(std::string& sealed, absl::string_view name);

// Writes beside `path`, syncs, and renames: at every moment `path` is the old
// file or the new one, also when the machine dies.
// Errors: the system's, naming the file (disk full, read-only folder, ...);
// the old file is then as it was, and nothing is left beside it.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view bytes);

// As WriteFileAtomically(), and the file that stood at `path` becomes
// older[0], what that was becomes older[1], and so on; the last of them goes.
// There is no moment in which `path` is missing.
absl::Status ReplaceKeepingOlder(const std::string& path,
                                 absl::Span<const std::string> older,
                                 absl::string_view bytes);

// Gives the file `path` the second name `copy`, replacing what that named: what
// is later put at `path` leaves it alone. A copy where there are no hard links.
absl::Status KeepAs(const std::string& path, const std::string& copy);

// Errors: kNotFound if there is no such file; else the system's.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_SEALED_FILE_H_
