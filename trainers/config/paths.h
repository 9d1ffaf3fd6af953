#ifndef GSG_TRAINERS_CONFIG_PATHS_H_
#define GSG_TRAINERS_CONFIG_PATHS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/config/config.h"

namespace gsg {

// `path` as the user meant it: `bazel run` starts a program in another folder
// than the user's and leaves the user's in $BUILD_WORKING_DIRECTORY. Without
// that variable, or if it is absolute or empty, the path itself.
// list: it may be several (base/path_list.h), each of which is meant.
std::string UserPath(absl::string_view path, bool list = false);

// `path` from the root; "" and what cannot be resolved stay as they are.
std::string AbsolutePath(const std::string& path, bool list = false);

// Where a run goes that was given no --output_dir:
// gsg_runs/<method>-<recipe>-<yyyymmdd>-<hhmmss>-<eight random digits>, a
// UserPath. Another one each time: runs start in the same second, too, and on
// machines that share the folder.
std::string DefaultOutputDir(const Config& config, absl::Time start,
                             absl::TimeZone zone);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_PATHS_H_
