#include "trainers/config/paths.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trainers/config/config.h"

namespace gsg {

std::string UserPath(absl::string_view path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || path.empty()) return std::string(path);
  // An absolute right-hand side replaces the left.
  return (std::filesystem::path(folder) / std::string(path))
      .lexically_normal()
      .string();
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return path.empty() || error ? path : absolute.lexically_normal().string();
}

std::string DefaultOutputDir(const Config& config, absl::Time start,
                             absl::TimeZone zone) {
  return UserPath(absl::StrCat("gsg_runs/", config.method, "-", config.recipe,
                               "-",
                               absl::FormatTime("%Y%m%d-%H%M%S", start, zone)));
}

}  // namespace gsg
