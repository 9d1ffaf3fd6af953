#ifndef GSG_TRAINERS_AUGMENT_AUGMENT_H_
#define GSG_TRAINERS_AUGMENT_AUGMENT_H_

#include <cstdint>
#include <vector>

#include "trainers/augment/blur.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/augment/resample.h"
#include "trainers/image/image.h"

namespace gsg {

// Makes a view of an image from given parameters: all operations in one call,
// on pixels that stay in the cache. Holds scratch memory, so one per thread:
// 64 * crop width + 4 * size^2 bytes and small change, grown to the largest
// crop seen and then reused.
//
// Pixels are float in [0, 1] from the crop on, so unlike torchvision on uint8
// images nothing is rounded between operations. The flip is part of the crop's
// resampling, which changes nothing else: every later operation commutes with
// it (up to the order of float sums).
class Augmenter {
 public:
  // `options` must have passed Validate.
  explicit Augmenter(const AugmentOptions& options);

  // out: [C, size, size] float32, normalized. C is the channel count given to
  // Validate. The crop of `params` is in pixels of the full image, and lies in
  // it.
  void Apply(const Image& image, const AugmentParams& params, float* out);

  // The same of a whole image, chw: [C, H, W] uint8.
  void Apply(const uint8_t* chw, int channels, int height, int width,
             const AugmentParams& params, float* out);

 private:
  int size_;
  std::vector<float> mean_;  // empty: no normalization
  std::vector<float> inverse_std_;
  Resampler resampler_;
  GaussianBlur blur_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_AUGMENT_H_
