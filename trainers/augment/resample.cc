#include "trainers/augment/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace gsg {

// `gain` multiplies the weights. The buffers only ever grow.
void Resampler::SetAxis(int length, bool flip, double gain, Axis* axis) {
  const double scale = static_cast<double>(length) / size_;
  const double support = std::max(scale, 1.0);
  // An open interval of length 2 * support holds at most this many centres.
  axis->taps = std::min(static_cast<int>(std::ceil(2 * support)), length);
  axis->first.resize(size_);
  axis->weight.resize(static_cast<size_t>(size_) * axis->taps);
  for (int i = 0; i < size_; ++i) {
    const int x = flip ? size_ - 1 - i : i;
    const double centre = scale * (i + 0.5);
    // Taps beyond the support get weight 0, so near the borders the window
    // may slide to stay inside.
    const int first =
        std::clamp(static_cast<int>(std::floor(centre - support + 0.5)), 0,
                   length - axis->taps);
    axis->first[x] = first;
    const auto triangle = [&](int k) {
      return std::max(1 - std::abs(first + k + 0.5 - centre) / support, 0.0);
    };
    double sum = 0;
    for (int k = 0; k < axis->taps; ++k) sum += triangle(k);
    for (int k = 0; k < axis->taps; ++k) {
      axis->weight[static_cast<size_t>(k) * size_ + x] =
          static_cast<float>(triangle(k) * gain / sum);
    }
  }
}

void Resampler::SetShape(int height, int width, bool flip) {
  SetAxis(width, flip, 1, &horizontal_);
  SetAxis(height, false, 1. / 255, &vertical_);
  row_.resize(std::max<size_t>(row_.size(), width));
  narrow_.resize(std::max(narrow_.size(), static_cast<size_t>(height) * size_));
}

void Resampler::Apply(const Crop& crop, float* out) {
  const int n = size_;
  for (int y = 0; y < crop.height; ++y) {
    const uint8_t* bytes = crop.top_left + y * crop.stride;
    std::copy_n(bytes, crop.width, row_.data());
    const float* __restrict in = row_.data();
    float* __restrict to = narrow_.data() + static_cast<size_t>(y) * n;
    const int* first = horizontal_.first.data();
    const float* weight = horizontal_.weight.data();
    for (int x = 0; x < n; ++x) to[x] = weight[x] * in[first[x]];
    for (int k = 1; k < horizontal_.taps; ++k) {
      weight += n;
      for (int x = 0; x < n; ++x) to[x] += weight[x] * in[first[x] + k];
    }
  }
  for (int y = 0; y < n; ++y) {
    const float* __restrict in =
        narrow_.data() + static_cast<size_t>(vertical_.first[y]) * n;
    const float* weight = vertical_.weight.data() + y;
    float* __restrict to = out + static_cast<size_t>(y) * n;
    for (int x = 0; x < n; ++x) to[x] = weight[0] * in[x];
    for (int k = 1; k < vertical_.taps; ++k) {
      in += n;
      weight += n;
      for (int x = 0; x < n; ++x) to[x] += *weight * in[x];
    }
  }
}

}  // namespace gsg
