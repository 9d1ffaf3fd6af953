#include "trainers/image/folder_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/codec/image_file.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

absl::Status ReadFile(const std::string& path, std::vector<uint8_t>* bytes) {
  // A pipe would be waited for, without O_NONBLOCK; files do not have it.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  const absl::Cleanup close_file = [file] { close(file); };
  struct stat info;
  if (fstat(file, &info) != 0) {
    return absl::ErrnoToStatus(errno, "cannot be read");
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError("not a regular file");
  }
  if (info.st_size > kMaxFileBytes) {
    return absl::DataLossError(
        absl::StrCat("absurd size: a file of ", info.st_size >> 20, " MiB"));
  }
  ResizeBuffer(info.st_size, bytes);
  size_t done = 0;
  while (done < bytes->size()) {
    const ssize_t got = read(file, bytes->data() + done, bytes->size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot be read");
    if (got == 0) break;  // someone has just shortened it
    done += got;
  }
  bytes->resize(done);
  return absl::OkStatus();
}

class Reader final : public ImageReader {
 public:
  explicit Reader(const FolderSource* source)
      : source_(*source), decoder_(source->channels()) {}

  absl::StatusOr<ImageSize> Open(int64_t index) override {
    if (absl::Status s = ReadFile(source_.path(index), &bytes_); !s.ok()) {
      decoder_.Close();
      return s;
    }
    return decoder_.Open(bytes_);
  }

  absl::StatusOr<Image> Decode(int reduction) override {
    return decoder_.Decode(reduction);
  }

 private:
  const FolderSource& source_;
  std::vector<uint8_t> bytes_;
  ImageFileDecoder decoder_;
};

}  // namespace

FolderSource::FolderSource(std::string root,
                           const std::vector<std::string>& paths,
                           std::vector<int32_t> labels, int channels)
    : root_(std::move(root)), labels_(std::move(labels)), channels_(channels) {
  size_t bytes = 0;
  for (const std::string& path : paths) bytes += path.size();
  paths_.reserve(bytes);
  ends_.reserve(paths.size());
  for (const std::string& path : paths) {
    paths_ += path;
    ends_.push_back(paths_.size());
  }
}

std::string FolderSource::name(int64_t index) const {
  const uint64_t begin = index == 0 ? 0 : ends_[index - 1];
  return paths_.substr(begin, ends_[index] - begin);
}

std::string FolderSource::path(int64_t index) const {
  return absl::StrCat(root_, "/", name(index));
}

std::unique_ptr<ImageReader> FolderSource::MakeReader() const {
  return std::make_unique<Reader>(this);
}

}  // namespace gsg
