#include "trainers/augment/color.h"

#include <cmath>
#include <cstdint>

#include "pixels/color.h"
#include "trainers/augment/simd.h"

namespace gsg {
namespace {

using pixel::Gray;

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
  if (image.channels != 3) {
    const int64_t n = image.channels * image.n;
    for (int64_t i = 0; i < n; ++i) sum.Add(i, r[i]);
    return sum.Total() / static_cast<float>(n);
  }
  const float* g = r + image.n;
  const float* b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) sum.Add(i, Gray(r[i], g[i], b[i]));
  return sum.Total() / static_cast<float>(image.n);
}

// clamp(factor * x + offset).
GSG_PIXEL_LOOPS void Affine(Planes image, float factor, float offset) {
  const int64_t n = image.channels * image.n;
  for (int64_t i = 0; i < n; ++i) {
    image.data[i] = pixel::Affine(image.data[i], factor, offset);
  }
}

}  // namespace

void AdjustBrightness(Planes image, float factor) { Affine(image, factor, 0); }

void AdjustContrast(Planes image, float factor) {
  Affine(image, factor, (1 - factor) * GrayMean(image));
}

GSG_PIXEL_LOOPS void AdjustSaturation(Planes image, float factor) {
  if (image.channels != 3) return;
  float* __restrict r = image.data;
  float* __restrict g = r + image.n;
  float* __restrict b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) {
    const float offset = (1 - factor) * Gray(r[i], g[i], b[i]);
    r[i] = pixel::Affine(r[i], factor, offset);
    g[i] = pixel::Affine(g[i], factor, offset);
    b[i] = pixel::Affine(b[i], factor, offset);
  }
}

GSG_PIXEL_LOOPS void AdjustHue(Planes image, float turns) {
  if (image.channels != 3) return;
  const float turn = 6 * turns;
  float* __restrict r = image.data;
  float* __restrict g = r + image.n;
  float* __restrict b = g + image.n;
  for (int64_t i = 0; i < image.n; ++i) {
    pixel::TurnHue(turn, r[i], g[i], b[i]);
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
    image.data[i] = pixel::Tone(curve, image.data[i]);
  }
}

GSG_PIXEL_LOOPS void Grayscale(Planes image) {
  if (image.channels != 3) return;
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
    image.data[i] = pixel::Solarized(image.data[i]);
  }
}

}  // namespace gsg
