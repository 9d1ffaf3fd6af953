#include "trainers/image/image_set_source.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

class Reader final : public ImageReader {
 public:
  explicit Reader(const ImageSet* images) : images_(*images) {}

  absl::StatusOr<ImageSize> Open(int64_t index) override {
    index_ = index;
    return ImageSize{static_cast<int>(images_.height),
                     static_cast<int>(images_.width)};
  }

  absl::StatusOr<Image> Decode(int /*reduction*/) override {
    Image image;
    image.chw = images_.pixels.data() +
                index_ * images_.channels * images_.height * images_.width;
    image.channels = static_cast<int>(images_.channels);
    image.height = static_cast<int>(images_.height);
    image.width = static_cast<int>(images_.width);
    return image;
  }

 private:
  const ImageSet& images_;
  int64_t index_ = 0;
};

}  // namespace

std::string ImageSetSource::name(int64_t index) const {
  return absl::StrCat(name_, " image ", index);
}

std::unique_ptr<ImageReader> ImageSetSource::MakeReader() const {
  return std::make_unique<Reader>(&images_);
}

}  // namespace gsg
