#ifndef GSG_TESTS_TRAINERS_EVALUATE_SMALL_IMAGES_H_
#define GSG_TESTS_TRAINERS_EVALUATE_SMALL_IMAGES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

// Gray images of 8 x 8, not known to have one size. Image i is a constant i
// modulo 256, called "i.png", unless opening(i) is an error or throws.
class SmallImages final : public ImageSource {
 public:
  using Opening = std::function<absl::Status(int64_t index)>;

  SmallImages(int64_t size, Opening opening)
      : size_(size), opening_(std::move(opening)) {}

  int64_t size() const override { return size_; }
  int channels() const override { return 1; }
  ImageSize fixed_size() const override { return {}; }
  absl::Span<const int32_t> labels() const override { return {}; }
  std::string name(int64_t index) const override {
    return absl::StrCat(index, ".png");
  }
  std::unique_ptr<ImageReader> MakeReader() const override {
    return std::make_unique<Reader>(opening_);
  }

 private:
  class Reader final : public ImageReader {
   public:
    explicit Reader(Opening opening) : opening_(std::move(opening)) {}

    absl::StatusOr<ImageSize> Open(int64_t index) override {
      pixels_.assign(64, static_cast<uint8_t>(index % 256));
      GSG_RETURN_IF_ERROR(opening_(index));
      return ImageSize{8, 8};
    }
    absl::StatusOr<Image> Decode(int) override {
      return Image{pixels_.data(), nullptr, 1, 8, 8};
    }

   private:
    const Opening opening_;
    std::vector<uint8_t> pixels_;
  };

  const int64_t size_;
  const Opening opening_;
};

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_EVALUATE_SMALL_IMAGES_H_
