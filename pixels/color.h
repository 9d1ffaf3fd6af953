#ifndef GSG_PIXELS_COLOR_H_
#define GSG_PIXELS_COLOR_H_

#include "gsg_core/host_device.h"
#include "pixels/params.h"

// torchvision's functional operations on one pixel, float in [0, 1]: what
// trainers/augment/color.h and the GPU do to all of them. Conditionals rather
// than std::min, which takes references: these vectorise.
namespace gsg::pixel {

GSG_HOST_DEVICE inline float Min(float a, float b) { return a < b ? a : b; }
GSG_HOST_DEVICE inline float Max(float a, float b) { return a > b ? a : b; }
GSG_HOST_DEVICE inline float Clamp(float x) { return Min(Max(x, 0), 1); }

GSG_HOST_DEVICE inline float Gray(float r, float g, float b) {
  return 0.2989f * r + 0.587f * g + 0.114f * b;
}

// clamp(factor * x + offset): brightness with offset 0; contrast and saturation
// with (1 - factor) times the mean and the gray value they turn from.
GSG_HOST_DEVICE inline float Affine(float x, float factor, float offset) {
  return Clamp(factor * x + offset);
}

// To HSV, `turn` sixths of a turn on, and back without leaving RGB. With v and
// c the largest component and the largest less the smallest, and the hue h in
// sixths of a turn, HSV's inverse is v - c * clamp(min(k, 4 - k)) with
// k = (h + 5, 3, 1) mod 6 for R, G and B. Where c = 0 the hue is undefined and
// nothing changes. turn: in [-3, 3].
GSG_HOST_DEVICE inline void TurnHue(float turn, float& r, float& g, float& b) {
  const float v = Max(Max(r, g), b);
  const float c = v - Min(Min(r, g), b);
  const float scale = 1 / (c > 0 ? c : 1);
  const float from_r = (g - b) * scale;
  const float from_g = (b - r) * scale + 2;
  const float from_b = (r - g) * scale + 4;
  // In [-1, 5] plus turn: one wrap brings it into [0, 6].
  const float h = turn + (v == r ? from_r : v == g ? from_g : from_b);
  const float wrapped = h < 0 ? h + 6 : h >= 6 ? h - 6 : h;
  const auto component = [&](float shift) {
    const float k = wrapped + shift;
    const float k6 = k >= 6 ? k - 6 : k;
    return v - c * Clamp(Min(k6, 4 - k6));
  };
  r = component(5);
  g = component(3);
  b = component(1);
}

// Linear between the curve's knots.
GSG_HOST_DEVICE inline float Tone(const ToneCurve& curve, float value) {
  const float x = value * 4;
  const int whole = static_cast<int>(x);
  const int k = whole < 3 ? whole : 3;
  return curve[k] + (x - k) * (curve[k + 1] - curve[k]);
}

GSG_HOST_DEVICE inline float Solarized(float x) {
  return x >= 0.5f ? 1 - x : x;
}

}  // namespace gsg::pixel

#endif  // GSG_PIXELS_COLOR_H_
