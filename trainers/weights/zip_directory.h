#ifndef GSG_TRAINERS_WEIGHTS_ZIP_DIRECTORY_H_
#define GSG_TRAINERS_WEIGHTS_ZIP_DIRECTORY_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg {

// Whether a zip archive without a comment can be given to LibTorch's reader,
// which allocates whatever size its directory claims for an entry: every entry
// must be stored without compression, and be no larger than the archive. Reads
// the directory where that reader does, in the forms of 32 and 64 bits
// (PKWARE's APPNOTE, 4.3.12 to 4.3.16 and 4.5.3).
// Errors: kDataLoss if that is not so, or the directory is not whole.
absl::Status CheckZipDirectory(absl::string_view zip);

}  // namespace gsg

#endif  // GSG_TRAINERS_WEIGHTS_ZIP_DIRECTORY_H_
