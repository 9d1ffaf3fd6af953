#include "trainers/augment/blur.h"

#include <algorithm>
#include <cstddef>

#include "pixels/gauss.h"
#include "trainers/augment/simd.h"

namespace gsg {

GaussianBlur::GaussianBlur(int size, int kernel)
    : size_(size),
      radius_(kernel / 2),
      weight_(kernel),
      padded_(size + kernel - 1),
      rows_(static_cast<size_t>(size) * size) {}

void GaussianBlur::SetSigma(float sigma) {
  SetGaussWeights(sigma, static_cast<int>(weight_.size()), weight_.data());
}

GSG_PIXEL_LOOPS void GaussianBlur::Apply(float* plane) {
  const int n = size_;
  const int kernel = static_cast<int>(weight_.size());
  for (int y = 0; y < n; ++y) {
    const float* row = plane + static_cast<size_t>(y) * n;
    for (int x = -radius_; x < 0; ++x) {
      padded_[x + radius_] = row[Reflect(x, n)];
    }
    std::copy_n(row, n, padded_.data() + radius_);
    for (int x = n; x < n + radius_; ++x) {
      padded_[x + radius_] = row[Reflect(x, n)];
    }
    const float* __restrict in = padded_.data();
    float* __restrict out = rows_.data() + static_cast<size_t>(y) * n;
    for (int x = 0; x < n; ++x) out[x] = weight_[0] * in[x];
    for (int k = 1; k < kernel; ++k) {
      const float weight = weight_[k];
      for (int x = 0; x < n; ++x) out[x] += weight * in[x + k];
    }
  }
  for (int y = 0; y < n; ++y) {
    float* __restrict out = plane + static_cast<size_t>(y) * n;
    std::fill_n(out, n, 0.f);
    for (int k = 0; k < kernel; ++k) {
      const float weight = weight_[k];
      const float* __restrict in =
          rows_.data() + static_cast<size_t>(Reflect(y + k - radius_, n)) * n;
      for (int x = 0; x < n; ++x) out[x] += weight * in[x];
    }
  }
}

}  // namespace gsg
