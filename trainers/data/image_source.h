#ifndef GSG_TRAINERS_DATA_IMAGE_SOURCE_H_
#define GSG_TRAINERS_DATA_IMAGE_SOURCE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/data/image_set.h"

namespace gsg {

// One decoded image: uint8, planes in channel order, rows contiguous.
struct Image {
  const uint8_t* chw;
  int channels, height, width;
};

// Where images come from. A set in memory hands out pointers; a folder of
// compressed files would decode into `scratch`. Every image of a source has
// channels() channels; height and width may differ from image to image.
class ImageSource {
 public:
  virtual ~ImageSource() = default;

  virtual int64_t size() const = 0;
  virtual int channels() const = 0;

  // Image `index`, 0 <= index < size(). The pixels stay valid until `scratch`
  // is next used and while the source lives. Thread-safe if every thread
  // brings its own `scratch`.
  // Errors: what the storage reports (unreadable file, corrupt image).
  virtual absl::StatusOr<Image> Get(int64_t index,
                                    std::vector<uint8_t>* scratch) const = 0;
};

// The images of a set in memory; `images` must outlive the source.
class ImageSetSource final : public ImageSource {
 public:
  explicit ImageSetSource(const ImageSet* images) : images_(*images) {}

  int64_t size() const override { return images_.count; }
  int channels() const override { return static_cast<int>(images_.channels); }
  absl::StatusOr<Image> Get(int64_t index,
                            std::vector<uint8_t>* scratch) const override;

 private:
  const ImageSet& images_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_DATA_IMAGE_SOURCE_H_
