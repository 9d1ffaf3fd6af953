#include "trainers/image/folder_source.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/file_source.h"
#include "trainers/image/tar_index.h"

namespace gsg {

FolderSource::FolderSource(std::string root,
                           const std::vector<std::string>& paths,
                           std::vector<int32_t> labels, int channels,
                           std::vector<FileInTar> in_tar)
    : FileSource(paths, std::move(labels), channels),
      root_(std::move(root)),
      in_tar_(std::move(in_tar)) {}

absl::Status FolderSource::ReadFile(int64_t index,
                                    std::vector<uint8_t>* bytes) const {
  const std::string file = path(index);
  if (in_tar_.empty() || in_tar_[index].archive == 0) {
    return ReadFileBytes(file, nullptr, bytes);
  }
  return ReadFileBytes(file.substr(0, in_tar_[index].archive),
                       &in_tar_[index].part, bytes);
}

std::string FolderSource::Stamp(int64_t index) const {
  const std::string file = path(index);
  if (in_tar_.empty() || in_tar_[index].archive == 0) return FileStamp(file);
  return StampInArchive(file.substr(0, in_tar_[index].archive),
                        in_tar_[index].part);
}

std::string FolderSource::path(int64_t index) const {
  return root_.empty() ? name(index) : absl::StrCat(root_, "/", name(index));
}

}  // namespace gsg
