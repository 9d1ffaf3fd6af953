#include "trainers/config/paths.h"

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/base/path_list.h"
#include "trainers/config/config.h"

namespace gsg {

namespace {

// Each path of a list as `resolve` gives it.
template <class Resolve>
std::string Each(absl::string_view list, Resolve&& resolve) {
  const std::string whole = resolve(list);
  if (SplitPaths(whole).size() == 1) return whole;
  std::vector<std::string> paths;
  for (const absl::string_view path : absl::StrSplit(list, ',')) {
    paths.push_back(resolve(path));
  }
  return absl::StrJoin(paths, ",");
}

}  // namespace

std::string UserPath(absl::string_view path, bool list) {
  if (list) {
    return Each(path, [](absl::string_view one) { return UserPath(one); });
  }
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || path.empty()) return std::string(path);
  // An absolute right-hand side replaces the left.
  return (std::filesystem::path(folder) / std::string(path))
      .lexically_normal()
      .string();
}

std::string AbsolutePath(const std::string& path, bool list) {
  if (list) {
    return Each(path, [](absl::string_view one) {
      return AbsolutePath(std::string(one));
    });
  }
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return path.empty() || error ? path : absolute.lexically_normal().string();
}

std::string DefaultOutputDir(const Config& config, absl::Time start,
                             absl::TimeZone zone) {
  return UserPath(absl::StrFormat(
      "gsg_runs/%s-%s-%s-%08x", config.method, config.recipe,
      absl::FormatTime("%Y%m%d-%H%M%S", start, zone), std::random_device()()));
}

}  // namespace gsg
