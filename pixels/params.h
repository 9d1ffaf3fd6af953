#ifndef GSG_PIXELS_PARAMS_H_
#define GSG_PIXELS_PARAMS_H_

#include <array>
#include <cstdint>
#include <type_traits>

namespace gsg {

// The operations of ColorJitter, in torchvision's numbering.
enum class JitterOp : uint8_t { kBrightness, kContrast, kSaturation, kHue };

// What becomes of the values 0, 1/4, 1/2, 3/4 and 1; linear between them.
using ToneCurve = std::array<float, 5>;
inline constexpr ToneCurve kIdentityTone = {0, 0.25f, 0.5f, 0.75f, 1};

constexpr bool IsIdentity(const ToneCurve& curve) {
  for (int k = 0; k < 5; ++k) {
    if (curve[k] != 0.25f * static_cast<float>(k)) return false;
  }
  return true;
}

// What happens to one view. A default-constructed value with a crop set only
// resizes: every factor that is off has its neutral value. Plain data: arrays
// of these may be copied to a GPU.
struct AugmentParams {
  int crop_top = 0;
  int crop_left = 0;
  int crop_height = 0;
  int crop_width = 0;
  // The resized crop is mirrored left to right, then top to bottom, then
  // transposed (rows become columns).
  bool flip = false;
  bool vertical_flip = false;
  bool transpose = false;
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
static_assert(std::is_trivially_copyable_v<AugmentParams>);

}  // namespace gsg

#endif  // GSG_PIXELS_PARAMS_H_
