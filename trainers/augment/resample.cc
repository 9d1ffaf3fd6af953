#include "trainers/augment/resample.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pixels/filter.h"
#include "trainers/augment/simd.h"
#include "trainers/image/image.h"
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace gsg {
namespace {

constexpr int kRows = 8;

// Eight floats; the compiler makes of them what the machine has.
using Lanes = float __attribute__((vector_size(4 * kRows)));

// to[j][i] = from[i][j] for i, j < 4; rows are so many floats apart.
void Transpose4(const float* from, int64_t from_stride, float* to,
                int64_t to_stride) {
#ifdef __SSE2__
  __m128 a = _mm_loadu_ps(from);
  __m128 b = _mm_loadu_ps(from + from_stride);
  __m128 c = _mm_loadu_ps(from + 2 * from_stride);
  __m128 d = _mm_loadu_ps(from + 3 * from_stride);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_stride, b);
  _mm_storeu_ps(to + 2 * to_stride, c);
  _mm_storeu_ps(to + 3 * to_stride, d);
#else
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      to[j * to_stride + i] = from[i * from_stride + j];
    }
  }
#endif
}

// Rows [kRows, width] to columns [width, kRows].
void Interleave(const float* rows, int width, float* columns) {
  int x = 0;
  for (; x + 4 <= width; x += 4) {
    for (int r = 0; r < kRows; r += 4) {
      Transpose4(rows + int64_t{r} * width + x, width,
                 columns + int64_t{x} * kRows + r, kRows);
    }
  }
  for (; x < width; ++x) {
    for (int r = 0; r < kRows; ++r) {
      columns[int64_t{x} * kRows + r] = rows[int64_t{r} * width + x];
    }
  }
}

// Columns [width, kRows] to rows [count, width].
void Separate(const float* columns, int width, int count, float* rows) {
  int x = 0;
  for (; count == kRows && x + 4 <= width; x += 4) {
    for (int r = 0; r < kRows; r += 4) {
      Transpose4(columns + int64_t{x} * kRows + r, kRows,
                 rows + int64_t{r} * width + x, width);
    }
  }
  for (; x < width; ++x) {
    for (int r = 0; r < count; ++r) {
      rows[int64_t{r} * width + x] = columns[int64_t{x} * kRows + r];
    }
  }
}

}  // namespace

// `gain` multiplies the weights. The buffers only ever grow.
void Resampler::SetAxis(const Window& window, bool flip, double gain,
                        Axis* axis) {
  const TriangleFilter filter(window, size_);
  axis->taps = filter.taps();
  axis->begin = filter.First(0);
  axis->end = filter.First(size_ - 1) + axis->taps;
  axis->first.resize(size_);
  axis->weight.resize(static_cast<size_t>(size_) * axis->taps);
  for (int i = 0; i < size_; ++i) {
    const int x = flip ? size_ - 1 - i : i;
    axis->first[x] = filter.First(i) - axis->begin;
    filter.SetWeights(
        i, gain, axis->weight.data() + static_cast<size_t>(x) * axis->taps);
  }
}

void Resampler::SetShape(const Window& vertical, const Window& horizontal,
                         bool flip, bool vertical_flip) {
  SetAxis(horizontal, flip, 1, &horizontal_);
  SetAxis(vertical, vertical_flip, 1. / 255, &vertical_);
  const size_t width = horizontal_.end - horizontal_.begin;
  rows_.resize(std::max(rows_.size(), width * kRows));
  columns_.resize(std::max(columns_.size(), width * kRows));
  result_.resize(static_cast<size_t>(size_) * kRows);
}

// Rows of the result are made eight at a time: first each along y, where
// neighboring columns are done together; then, with the eight interleaved, all
// of them along x, where the taps of a column lie anywhere.
template <class T>
[[gnu::always_inline]] inline void Resampler::Resample(const T* plane,
                                                       int64_t stride,
                                                       float* out) {
  // Weights are for bytes; for these it is exact.
  constexpr float kGain = sizeof(T) == 1 ? 1 : 255.f / 65535;
  const int n = size_;
  const int width = horizontal_.end - horizontal_.begin;
  for (int top = 0; top < n; top += kRows) {
    const int count = std::min(kRows, n - top);
    for (int r = 0; r < count; ++r) {
      const int y = top + r;
      const float* weight =
          vertical_.weight.data() + static_cast<size_t>(y) * vertical_.taps;
      const T* in = plane + (vertical_.begin + vertical_.first[y]) * stride +
                    horizontal_.begin;
      float* __restrict to = rows_.data() + static_cast<size_t>(r) * width;
      const float first = kGain * weight[0];
      for (int x = 0; x < width; ++x) to[x] = first * in[x];
      for (int k = 1; k < vertical_.taps; ++k) {
        in += stride;
        const float w = kGain * weight[k];
        for (int x = 0; x < width; ++x) to[x] += w * in[x];
      }
    }
    Interleave(rows_.data(), width, columns_.data());
    const float* weight = horizontal_.weight.data();
    for (int x = 0; x < n; ++x) {
      const float* in = columns_.data() + int64_t{horizontal_.first[x]} * kRows;
      Lanes pixels;
      std::memcpy(&pixels, in, sizeof(pixels));
      Lanes sum = pixels * weight[0];
      for (int k = 1; k < horizontal_.taps; ++k) {
        in += kRows;
        std::memcpy(&pixels, in, sizeof(pixels));
        sum += pixels * weight[k];
      }
      weight += horizontal_.taps;
      std::memcpy(result_.data() + int64_t{x} * kRows, &sum, sizeof(sum));
    }
    Separate(result_.data(), n, count, out + int64_t{top} * n);
  }
}

GSG_PIXEL_LOOPS void Resampler::ApplyTo(const uint8_t* plane, int64_t stride,
                                        float* out) {
  Resample(plane, stride, out);
}

GSG_PIXEL_LOOPS void Resampler::ApplyTo(const uint16_t* plane, int64_t stride,
                                        float* out) {
  Resample(plane, stride, out);
}

void Resampler::Apply(const Image& image, int channel, float* out) {
  const int64_t plane = int64_t{channel} * image.height * image.width;
  if (image.chw16 != nullptr) {
    ApplyTo(image.chw16 + plane, image.width, out);
  } else {
    ApplyTo(image.chw + plane, image.width, out);
  }
}

}  // namespace gsg
