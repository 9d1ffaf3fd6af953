#include "trainers/base/path_list.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_split.h"

namespace gsg {

std::vector<std::string> SplitPaths(const std::string& value) {
  std::error_code error;
  if (std::filesystem::exists(value, error)) return {value};
  std::vector<std::string> parts = absl::StrSplit(value, ',');
  for (const std::string& part : parts) {
    if (part.empty()) return {value};
  }
  return parts;
}

}  // namespace gsg
