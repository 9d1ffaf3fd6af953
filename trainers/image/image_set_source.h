#ifndef GSG_TRAINERS_IMAGE_IMAGE_SET_SOURCE_H_
#define GSG_TRAINERS_IMAGE_IMAGE_SET_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_source.h"

namespace gsg {

// The images of a set in memory, which it owns. Readers hand out pointers into
// it, never fail and take no notice of `reduction`.
class ImageSetSource final : public ImageSource {
 public:
  // Image 17 is called "<name> image 17".
  ImageSetSource(ImageSet images, std::string name)
      : images_(std::move(images)), name_(std::move(name)) {}

  const ImageSet& images() const { return images_; }

  int64_t size() const override { return images_.count; }
  int channels() const override { return static_cast<int>(images_.channels); }
  ImageSize fixed_size() const override {
    return {static_cast<int>(images_.height), static_cast<int>(images_.width)};
  }
  absl::Span<const int32_t> labels() const override { return images_.labels; }
  std::string name(int64_t index) const override;
  std::unique_ptr<ImageReader> MakeReader() const override;

 private:
  const ImageSet images_;
  const std::string name_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGE_SET_SOURCE_H_
