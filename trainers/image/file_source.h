#ifndef GSG_TRAINERS_IMAGE_FILE_SOURCE_H_
#define GSG_TRAINERS_IMAGE_FILE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

// Image files, wherever they lie, read and decoded each time they are asked
// for. Memory: the names, 8 bytes and a label (4 bytes) an image. A reader
// holds one file (at most 1 GiB) and its decoder's buffers
// (codec/image_file.h).
class FileSource : public ImageSource {
 public:
  int64_t size() const final { return static_cast<int64_t>(ends_.size()); }
  int channels() const final { return channels_; }
  ImageSize fixed_size() const final { return {}; }
  absl::Span<const int32_t> labels() const final { return labels_; }
  std::string name(int64_t index) const override;
  std::unique_ptr<ImageReader> MakeReader() const final;

  // Puts the content of file `index` into *bytes. Thread-safe.
  // Errors: why it cannot be read, without its name.
  virtual absl::Status ReadFile(int64_t index,
                                std::vector<uint8_t>* bytes) const = 0;

  // What is another text if file `index` has changed: FileStamp, and where it
  // lies in an archive. "" if it cannot be looked at.
  virtual std::string Stamp(int64_t index) const = 0;

 protected:
  // labels: one for each name, or empty. channels: see ImageFileDecoder.
  FileSource(const std::vector<std::string>& names, std::vector<int32_t> labels,
             int channels);

 private:
  std::string names_;           // all, one after the other
  std::vector<uint64_t> ends_;  // where each ends in names_
  const std::vector<int32_t> labels_;
  const int channels_;
};

// A part of a file.
struct FilePart {
  int64_t begin = 0;
  int64_t size = 0;
  int64_t file_size = 0;  // of the whole; another means that it has changed
};

// The size and the time of change of the file at `path`, "12 345.6", or "" if
// it cannot be looked at.
std::string FileStamp(const std::string& path);

// The same of a part of an archive, with its place there.
std::string StampInArchive(const std::string& path, const FilePart& part);

// Reads the file at `path`, or if `part` is not null that part of it.
// Errors: as ReadFile above; kDataLoss for what is no regular file, larger than
// 1 GiB, or of another size than part->file_size.
absl::Status ReadFileBytes(const std::string& path, const FilePart* part,
                           std::vector<uint8_t>* bytes);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FILE_SOURCE_H_
