#ifndef GSG_TRAINERS_IMAGE_DEFAULT_DATA_DIR_H_
#define GSG_TRAINERS_IMAGE_DEFAULT_DATA_DIR_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// Folder of the copy of data set `name` that Bazel fetched as a data
// dependency of this program (its runfiles). Only fashion_mnist has one.
// Looks where RUNFILES_DIR, JAVA_RUNFILES or TEST_SRCDIR say, then beside the
// executable.
// Errors: kInvalidArgument if `name` has no such copy; kNotFound if this
// program has no runfiles, as after copying the binary elsewhere. Both tell
// the user to pass --data_dir.
absl::StatusOr<std::string> DefaultDataDir(absl::string_view name);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_DEFAULT_DATA_DIR_H_
