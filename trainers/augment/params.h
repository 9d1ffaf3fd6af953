#ifndef GSG_TRAINERS_AUGMENT_PARAMS_H_
#define GSG_TRAINERS_AUGMENT_PARAMS_H_

#include <array>
#include <cstdint>

#include "trainers/augment/color.h"
#include "trainers/augment/options.h"

namespace gsg {

// The operations of ColorJitter, in torchvision's numbering.
enum class JitterOp : uint8_t { kBrightness, kContrast, kSaturation, kHue };

// What happens to one view. A default-constructed value with a crop set only
// resizes: every factor that is off has its neutral value.
struct AugmentParams {
  int crop_top = 0;
  int crop_left = 0;
  int crop_height = 0;
  int crop_width = 0;
  bool flip = false;
  std::array<JitterOp, 4> jitter_order = {
      JitterOp::kBrightness, JitterOp::kContrast, JitterOp::kSaturation,
      JitterOp::kHue};
  float brightness = 1;
  float contrast = 1;
  float saturation = 1;
  float hue = 0;  // turns
  float gamma = 1;
  ToneCurve tone_curve = kIdentityTone;
  bool grayscale = false;
  float blur_sigma = 0;  // 0: no blur
  bool solarize = false;
};

// The parameters of view `view` of image `index` in epoch `epoch` under
// `seed`: always the same for the same arguments, whoever asks and in whatever
// order. Switching one augmentation on or off leaves the others' draws alone.
// height, width: of the image, at least 1. epoch, index: below 2^32; view:
// below 2^32 - 1.
AugmentParams SampleParams(const AugmentOptions& options, uint64_t seed,
                           int64_t epoch, int64_t index, int64_t view,
                           int height, int width);

// For evaluation: no randomness. The whole of a square image, and the central
// square of any other (torchvision's Resize(size), CenterCrop(size) up to
// sub-pixel position).
AugmentParams PlainParams(int height, int width);

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_PARAMS_H_
