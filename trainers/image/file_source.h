#ifndef GSG_TRAINERS_IMAGE_FILE_SOURCE_H_
#define GSG_TRAINERS_IMAGE_FILE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

// A part of a file.
struct FilePart {
  int64_t begin = 0;
  int64_t size = 0;
  int64_t file_size = 0;  // of the whole; another means that it has changed
};

// A path that may lead into a tar archive: "shards/a.tar/cat/1.jpg".
struct FileInTar {
  size_t archive = 0;  // bytes of the path that are the archive's: 12; 0: none
  FilePart part;       // of the archive
};

// Image files below a folder or in tar archives there, read and decoded each
// time they are asked for. One in an archive is read from its place, so that
// images in any order cost what files in a folder do. Memory: the names, 8
// bytes and a label (4 bytes) an image, so that ImageNet's 1.3 million take
// about 60 MB; 32 bytes more in archives. A reader holds one file (at most 1
// GiB) and its decoder's buffers (codec/image_file.h).
class FileSource final : public ImageSource {
 public:
  // names: of the files, their paths below `root`; if that is empty, from
  // anywhere. labels: one for each, or empty. channels: see ImageFileDecoder.
  // in_tar: for each how much of path() is an archive; empty: nothing of any.
  FileSource(std::string root, const std::vector<std::string>& names,
             std::vector<int32_t> labels, int channels,
             std::vector<FileInTar> in_tar = {});

  int64_t size() const override { return static_cast<int64_t>(ends_.size()); }
  int channels() const override { return channels_; }
  ImageSize fixed_size() const override { return {}; }
  absl::Span<const int32_t> labels() const override { return labels_; }
  std::string name(int64_t index) const override;
  std::unique_ptr<ImageReader> MakeReader() const override;

  // The path to open, or where it lies in an archive "DIR/a.tar/cat/1.jpg".
  std::string path(int64_t index) const;

  // Puts the content of file `index` into *bytes. Thread-safe.
  // Errors: why it cannot be read, without its name; kDataLoss for what is no
  // regular file, larger than 1 GiB, or in an archive that has changed.
  absl::Status ReadFile(int64_t index, std::vector<uint8_t>* bytes) const;

  // What is another text if file `index` has changed: FileStamp, and where it
  // lies in an archive. "" if it cannot be looked at.
  std::string Stamp(int64_t index) const;

 private:
  // Null if the image is a file of its own.
  const FilePart* PartOf(int64_t index) const;
  // The image's own or its archive.
  std::string FileOf(int64_t index) const;

  const std::string root_;
  std::string names_;           // all, one after the other
  std::vector<uint64_t> ends_;  // where each ends in names_
  const std::vector<int32_t> labels_;
  const int channels_;
  const std::vector<FileInTar> in_tar_;
};

// The size and the time of change of the file at `path`, "12 345.6", or "" if
// it cannot be looked at.
std::string FileStamp(const std::string& path);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FILE_SOURCE_H_
