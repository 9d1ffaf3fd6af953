#ifndef GSG_TRAINERS_IMAGE_DATA_PATH_H_
#define GSG_TRAINERS_IMAGE_DATA_PATH_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg {

// Whether there is a file of a format that is read, or called so.
bool IsImageFile(const std::string& path);

// OK if `path` is a folder. `expected` is said of what should be there.
// Errors: kNotFound if there is nothing; kInvalidArgument if it is a file,
// which says what it is and what to do (an archive is to be unpacked, of an
// image the folder is to be given); the file system's.
absl::Status CheckIsFolder(const std::string& path, absl::string_view expected);

// How to unpack the archive at `path`: a command, or "unpack <path>".
std::string HowToUnpack(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_DATA_PATH_H_
