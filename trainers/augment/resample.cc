#include "trainers/augment/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace gsg {

// `gain` multiplies the weights. The buffers only ever grow.
void Resampler::SetAxis(const Window& window, bool flip, double gain,
                        Axis* axis) {
  const double scale = window.length / size_;
  const double support = std::max(scale, 1.0);
  // An open interval of length 2 * support holds at most this many centres.
  axis->taps = std::min(static_cast<int>(std::ceil(2 * support)),
                        window.end - window.begin);
  // Taps beyond the support get weight 0, so near the borders the filter may
  // slide to stay inside.
  const auto centre = [&](int i) { return window.start + scale * (i + 0.5); };
  const auto first = [&](int i) {
    return std::clamp(static_cast<int>(std::floor(centre(i) - support + 0.5)),
                      window.begin, window.end - axis->taps);
  };
  axis->begin = first(0);
  axis->end = first(size_ - 1) + axis->taps;
  axis->first.resize(size_);
  axis->weight.resize(static_cast<size_t>(size_) * axis->taps);
  for (int i = 0; i < size_; ++i) {
    const int x = flip ? size_ - 1 - i : i;
    const double offset = first(i) + 0.5 - centre(i);
    axis->first[x] = first(i) - axis->begin;
    const auto triangle = [&](int k) {
      return std::max(1 - std::abs(offset + k) / support, 0.0);
    };
    double sum = 0;
    for (int k = 0; k < axis->taps; ++k) sum += triangle(k);
    for (int k = 0; k < axis->taps; ++k) {
      axis->weight[static_cast<size_t>(k) * size_ + x] =
          static_cast<float>(triangle(k) * gain / sum);
    }
  }
}

void Resampler::SetShape(const Window& vertical, const Window& horizontal,
                         bool flip) {
  SetAxis(horizontal, flip, 1, &horizontal_);
  SetAxis(vertical, false, 1. / 255, &vertical_);
  const size_t height = vertical_.end - vertical_.begin;
  const size_t width = horizontal_.end - horizontal_.begin;
  row_.resize(std::max(row_.size(), width));
  narrow_.resize(std::max(narrow_.size(), height * size_));
}

void Resampler::Apply(const uint8_t* plane, int64_t stride, float* out) {
  const int n = size_;
  const int height = vertical_.end - vertical_.begin;
  const int width = horizontal_.end - horizontal_.begin;
  for (int y = 0; y < height; ++y) {
    const uint8_t* bytes =
        plane + (vertical_.begin + y) * stride + horizontal_.begin;
    std::copy_n(bytes, width, row_.data());
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
