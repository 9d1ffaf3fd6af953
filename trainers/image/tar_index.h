#ifndef GSG_TRAINERS_IMAGE_TAR_INDEX_H_
#define GSG_TRAINERS_IMAGE_TAR_INDEX_H_

#include <map>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/image/file_source.h"

namespace gsg {

// Whether a file is called as tar archives that are read: ".tar", in upper or
// lower case.
bool IsTarName(absl::string_view path);

// Finds files in tar archives. Each archive is read once, when the first of its
// files is asked for. Memory: the names of all files in these.
class TarIndex {
 public:
  // Errors: kNotFound if there is an archive on the path, without that file;
  // those of ListTar.
  absl::StatusOr<FileInTar> Find(absl::string_view path);

 private:
  using Files = std::unordered_map<std::string, FilePart>;  // by name

  std::map<std::string, Files> archives_;  // by path
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_TAR_INDEX_H_
