#include "trainers/image/tar_index.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/file_source.h"
#include "trainers/image/tar.h"

namespace gsg {

bool IsTarName(absl::string_view path) {
  return absl::EndsWithIgnoreCase(path, ".tar");
}

absl::StatusOr<FileInTar> TarIndex::Find(absl::string_view path) {
  for (size_t slash = path.find('/', 1); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    const std::string archive(path.substr(0, slash));
    if (!IsTarName(archive)) continue;
    auto known = archives_.find(archive);
    if (known == archives_.end()) {
      std::error_code error;
      if (!std::filesystem::is_regular_file(archive, error)) continue;
      GSG_ASSIGN_OR_RETURN(const Tar tar, ListTar(archive));
      known = archives_.insert({archive, {}}).first;
      // Of several of one name the last counts, as in unpacking.
      for (const TarMember& member : tar.members) {
        if (!member.plain) continue;
        known->second[member.name] = {member.begin, member.size, tar.file_size};
      }
    }
    const std::string name(path.substr(slash + 1));
    const auto file = known->second.find(name);
    if (file == known->second.end()) {
      return absl::NotFoundError(
          absl::StrCat("archive ", archive, " has no file ", name));
    }
    return FileInTar{slash, file->second};
  }
  return FileInTar{};
}

}  // namespace gsg
