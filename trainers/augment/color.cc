#include "trainers/augment/color.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "trainers/augment/simd.h"

namespace gsg {
namespace {

// Conditionals rather than std::min, which takes references: these vectorise.
float Min(float a, float b) { return a < b ? a : b; }
float Max(float a, float b) { return a > b ? a : b; }
float Clamp(float x) { return Min(Max(x, 0), 1); }

float Gray(float r, float g, float b) {
  return 0.2989f * r + 0.587f * g + 0.114f * b;
}

// Sums in eight lanes: the order is fixed, and it vectorises.
class LaneSum {
 public:
  void Add(int64_t i, float value) { lane_[i % 8] += value; }
  float Total() const {
    return ((lane_[0] + lane_[1]) + (lane_[2] + lane_[3])) +
           ((lane_[4] + lane_[5]) + (lane_[6] + lane_[7]));
  }

 private:
  float lane_[8] = {};
};

GSG_PIXEL_LOOPS float GrayMean(Planes image) {
  LaneSum sum;
  const float* r = image.data;
  if (image.channels == 1) {
    for (int64_t i = 0; i < image.n; ++i) sum.Add(i, r[i]);
  } else {
    const float* g = r + image.n;
    const float* b = g + image.n;
    for (int64_t i = 0; i < image.n; ++i) sum.Add(i, Gray(r[i], g[i], b[i]));
  }
  return sum.Total() / static_cast<float>(image.n);
}

// clamp(factor * x + offset).
GSG_PIXEL_LOOPS void Affine(Planes image, float factor, float offset) {
  const int64_t n = image.channels * image.n;
  for (int64_t i = 0; i < n; ++i) {
    image.data[i] = Clamp(factor * image.data[i] + offset);
  }
}

}  // namespace

void AdjustBrightness(Planes image, float factor) { Affine(image, factor, 0); }

void AdjustContrast(Planes image, float factor) {
  Affine(image, factor, (1 - factor) * GrayMean(image));
}

GSG_PIXEL_LOOPS void AdjustSaturation(Planes image, float factor) {
  if (image.channels == 1) return;
  float* __restrict r = image.data;
  float* __restrict g = r + image.n;
  float* __restrict b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) {
    const float offset = (1 - factor) * Gray(r[i], g[i], b[i]);
    r[i] = Clamp(factor * r[i] + offset);
    g[i] = Clamp(factor * g[i] + offset);
    b[i] = Clamp(factor * b[i] + offset);
  }
}

// To HSV and back without leaving RGB. With v and c the largest component and
// the largest less the smallest, and the hue h in sixths of a turn, HSV's
// inverse is v - c * clamp(min(k, 4 - k)) with k = (h + 5, 3, 1) mod 6 for R,
// G and B. Where c = 0 the hue is undefined and nothing changes.
GSG_PIXEL_LOOPS void AdjustHue(Planes image, float turns) {
  if (image.channels == 1) return;
  const float turn = 6 * turns;
  float* __restrict r = image.data;
  float* __restrict g = r + image.n;
  float* __restrict b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) {
    const float v = Max(Max(r[i], g[i]), b[i]);
    const float c = v - Min(Min(r[i], g[i]), b[i]);
    const float scale = 1 / (c > 0 ? c : 1);
    const float from_r = (g[i] - b[i]) * scale;
    const float from_g = (b[i] - r[i]) * scale + 2;
    const float from_b = (r[i] - g[i]) * scale + 4;
    // In [-1, 5] plus turn in [-3, 3]: one wrap brings it into [0, 6].
    const float h = turn + (v == r[i] ? from_r : v == g[i] ? from_g : from_b);
    const float wrapped = h < 0 ? h + 6 : h >= 6 ? h - 6 : h;
    const auto component = [&](float shift) {
      const float k = wrapped + shift;
      const float k6 = k >= 6 ? k - 6 : k;
      return v - c * Clamp(Min(k6, 4 - k6));
    };
    r[i] = component(5);
    g[i] = component(3);
    b[i] = component(1);
  }
}

void AdjustGamma(Planes image, float exponent) {
  const int64_t n = image.channels * image.n;
  for (int64_t i = 0; i < n; ++i) {
    image.data[i] = std::pow(image.data[i], exponent);
  }
}

GSG_PIXEL_LOOPS void AdjustTone(Planes image, const ToneCurve& curve) {
  const int64_t count = image.channels * image.n;
  for (int64_t i = 0; i < count; ++i) {
    const float x = image.data[i] * 4;
    const int k = std::min(static_cast<int>(x), 3);
    image.data[i] = curve[k] + (x - k) * (curve[k + 1] - curve[k]);
  }
}

GSG_PIXEL_LOOPS void Grayscale(Planes image) {
  if (image.channels == 1) return;
  float* __restrict r = image.data;
  float* __restrict g = r + image.n;
  float* __restrict b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) {
    r[i] = g[i] = b[i] = Gray(r[i], g[i], b[i]);
  }
}

GSG_PIXEL_LOOPS void Solarize(Planes image) {
  const int64_t n = image.channels * image.n;
  for (int64_t i = 0; i < n; ++i) {
    const float x = image.data[i];
    image.data[i] = x >= 0.5f ? 1 - x : x;
  }
}

}  // namespace gsg
