// Images as evaluation sees them: in order, and without randomness.

#ifndef GSG_TRAINERS_EVALUATE_EVALUATION_IMAGES_H_
#define GSG_TRAINERS_EVALUATE_EVALUATION_IMAGES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

struct EvaluationOptions {
  // 0: every image as it is; the source must have a fixed_size(). Otherwise
  // the shorter side is resized to 8/7 of this (rounded), and the central
  // square of this side is cut out: torchvision's Resize and CenterCrop on
  // tensors with antialiasing, as in 256 and 224.
  int64_t side = 0;
  ChannelStats stats;  // empty: values stay in 0..1
  // To be looked at: an image of 16 bits is brightened until its largest value
  // is 1, since many cameras use the lower bits alone.
  bool brighten = false;
  int threads = 1;
};

// The side to evaluate with when training views are `crop_size` wide: the
// images' own where all have one size, or else crop_size.
int64_t EvaluationSide(const ImageSource& source, int64_t crop_size);

// `count` (0 = all) of the numbers 0 .. size - 1 at even distances: a folder's
// first images would all be of one class.
std::vector<int64_t> EvenlySpaced(int64_t size, int64_t count);

struct EvaluationBatch {
  std::vector<int64_t> indices;  // [B] in the source
  std::vector<float> pixels;     // [B, C, H, W]
};

class EvaluationImages {
 public:
  // `source` and `damaged` must outlive it.
  EvaluationImages(const ImageSource* source, const EvaluationOptions& options,
                   DamagedImages* damaged);

  int64_t channels() const { return source_.channels(); }
  ImageSize size() const { return size_; }  // of what it delivers

  // As many images as fit 64 MiB, at least 1 and at most 500: ask for no more
  // at once, and memory is bounded whatever the source.
  int64_t block() const { return block_; }

  // The images with these indices, in this order, in *batch, whose memory is
  // reused. Damaged ones are left out and noted in `damaged`.
  // Errors: those of DamagedImages::Add; a MemoryError (base/memory.h) that
  // names the image.
  absl::Status Read(absl::Span<const int64_t> indices, EvaluationBatch* batch);

 private:
  // The image opened in `reader`, to [C, H, W].
  absl::Status Render(ImageSize full, ImageReader* reader, float* out) const;
  absl::Status ReadOne(int64_t index, ImageReader* reader, float* out) const;

  const ImageSource& source_;
  const EvaluationOptions options_;
  DamagedImages& damaged_;
  ImageSize size_;
  int64_t block_;
  std::vector<std::unique_ptr<ImageReader>> readers_;  // one per thread
};

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_EVALUATION_IMAGES_H_
