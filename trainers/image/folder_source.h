#ifndef GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_
#define GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

// Image files below a folder, read and decoded each time they are asked for.
// Memory: the paths below the folder, 8 bytes and a label (4 bytes) an image;
// ImageNet's 1.3 million take about 60 MB. A reader holds one file (at most
// 1 GiB) and its decoder's buffers (codec/image_file.h).
class FolderSource final : public ImageSource {
 public:
  // paths: of the files, below `root`. labels: one for each, or empty.
  // channels: 1 or 3, whatever the files hold.
  FolderSource(std::string root, const std::vector<std::string>& paths,
               std::vector<int32_t> labels, int channels);

  int64_t size() const override { return static_cast<int64_t>(ends_.size()); }
  int channels() const override { return channels_; }
  ImageSize fixed_size() const override { return {}; }
  absl::Span<const int32_t> labels() const override { return labels_; }
  std::string name(int64_t index) const override;
  std::unique_ptr<ImageReader> MakeReader() const override;

  // The path to open.
  std::string path(int64_t index) const;

 private:
  const std::string root_;
  std::string paths_;           // all, one after the other
  std::vector<uint64_t> ends_;  // where each ends in paths_
  const std::vector<int32_t> labels_;
  const int channels_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_FOLDER_SOURCE_H_
