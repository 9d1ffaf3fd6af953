#include "trainers/image/file_source.h"

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

class Reader final : public ImageReader {
 public:
  explicit Reader(const FileSource* source)
      : source_(*source), decoder_(source->channels()) {}

  absl::StatusOr<ImageSize> Open(int64_t index) override {
    if (absl::Status s = source_.ReadFile(index, &bytes_); !s.ok()) {
      decoder_.Close();
      return s;
    }
    return decoder_.Open(bytes_);
  }

  absl::StatusOr<Image> Decode(int reduction) override {
    return decoder_.Decode(reduction);
  }

 private:
  const FileSource& source_;
  std::vector<uint8_t> bytes_;
  ImageFileDecoder decoder_;
};

// Reads the file at `path`, or if `part` is not null that part of it.
absl::Status ReadFileBytes(const std::string& path, const FilePart* part,
                           std::vector<uint8_t>* bytes) {
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
  if (part != nullptr && info.st_size != part->file_size) {
    return absl::DataLossError(absl::StrCat(
        path, " has ", info.st_size, " bytes now and had ", part->file_size,
        " when the program started: start it again"));
  }
  const int64_t begin = part == nullptr ? 0 : part->begin;
  const int64_t size = part == nullptr ? info.st_size : part->size;
  if (size > kMaxFileBytes) {
    return absl::DataLossError(
        absl::StrCat("absurd size: a file of ", size >> 20, " MiB"));
  }
  ResizeBuffer(size, bytes);
  int64_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(file, bytes->data() + done, size - done, begin + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, "cannot be read");
    if (got == 0) break;  // someone has just shortened it
    done += got;
  }
  bytes->resize(done);
  return absl::OkStatus();
}

}  // namespace

std::string FileStamp(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return "";
  return absl::StrCat(info.st_size, " ", info.st_mtim.tv_sec, ".",
                      info.st_mtim.tv_nsec);
}

FileSource::FileSource(std::string root, const std::vector<std::string>& names,
                       std::vector<int32_t> labels, int channels,
                       std::vector<FileInTar> in_tar)
    : root_(std::move(root)),
      labels_(std::move(labels)),
      channels_(channels),
      in_tar_(std::move(in_tar)) {
  size_t bytes = 0;
  for (const std::string& name : names) bytes += name.size();
  names_.reserve(bytes);
  ends_.reserve(names.size());
  for (const std::string& name : names) {
    names_ += name;
    ends_.push_back(names_.size());
  }
}

std::string FileSource::name(int64_t index) const {
  const uint64_t begin = index == 0 ? 0 : ends_[index - 1];
  return names_.substr(begin, ends_[index] - begin);
}

std::unique_ptr<ImageReader> FileSource::MakeReader() const {
  return std::make_unique<Reader>(this);
}

std::string FileSource::path(int64_t index) const {
  return root_.empty() ? name(index) : absl::StrCat(root_, "/", name(index));
}

absl::Status FileSource::ReadFile(int64_t index,
                                  std::vector<uint8_t>* bytes) const {
  return ReadFileBytes(FileOf(index), PartOf(index), bytes);
}

std::string FileSource::Stamp(int64_t index) const {
  const std::string stamp = FileStamp(FileOf(index));
  const FilePart* const part = PartOf(index);
  if (stamp.empty() || part == nullptr) return stamp;
  return absl::StrCat(stamp, " ", part->begin, " ", part->size);
}

const FilePart* FileSource::PartOf(int64_t index) const {
  if (in_tar_.empty() || in_tar_[index].archive == 0) return nullptr;
  return &in_tar_[index].part;
}

std::string FileSource::FileOf(int64_t index) const {
  const std::string whole = path(index);
  return PartOf(index) == nullptr ? whole
                                  : whole.substr(0, in_tar_[index].archive);
}

}  // namespace gsg
