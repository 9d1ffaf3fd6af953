#include "trainers/image/folder_source.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/file_source.h"

namespace gsg {

FolderSource::FolderSource(std::string root,
                           const std::vector<std::string>& paths,
                           std::vector<int32_t> labels, int channels)
    : FileSource(paths, std::move(labels), channels), root_(std::move(root)) {}

absl::Status FolderSource::ReadFile(int64_t index,
                                    std::vector<uint8_t>* bytes) const {
  return ReadFileBytes(path(index), nullptr, bytes);
}

std::string FolderSource::Stamp(int64_t index) const {
  return FileStamp(path(index));
}

std::string FolderSource::path(int64_t index) const {
  return root_.empty() ? name(index) : absl::StrCat(root_, "/", name(index));
}

}  // namespace gsg
