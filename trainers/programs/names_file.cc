#include "trainers/programs/names_file.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"

namespace gsg {

std::string NameLine(absl::string_view name) {
  return absl::StrReplaceAll(name,
                             {{"\\", "\\\\"}, {"\n", "\\n"}, {"\r", "\\r"}});
}

std::string LineName(absl::string_view line) {
  return absl::StrReplaceAll(line,
                             {{"\\\\", "\\"}, {"\\n", "\n"}, {"\\r", "\r"}});
}

std::string BesideNpy(absl::string_view path, absl::string_view extension) {
  return absl::StrCat(absl::StripSuffix(path, ".npy"), extension);
}

absl::StatusOr<std::vector<std::string>> ReadNames(const std::string& path,
                                                   int64_t count) {
  GSG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  std::vector<std::string> names;
  for (const absl::string_view line :
       absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    names.push_back(LineName(line));
  }
  if (static_cast<int64_t>(names.size()) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", names.size(), " names; there are ", count,
                     " rows of features beside it"));
  }
  return names;
}

}  // namespace gsg
