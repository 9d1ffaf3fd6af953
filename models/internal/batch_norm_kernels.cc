#include "models/internal/batch_norm_kernels.h"

#include <cstdint>

#include "gsg_core/half.h"

// Compiled for AVX2, too, which is used where the machine has it. No FMA comes
// with that, so that every machine computes the same numbers. Sanitizers do not
// get along with functions that are chosen while the program is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GSG_ROW_LOOPS __attribute__((target_clones("avx2", "default")))
#else
#define GSG_ROW_LOOPS
#endif

// What is written once for all types is compiled as part of each clone.
#define GSG_PART_OF_CLONE inline __attribute__((always_inline))

// Vectors are not passed between functions that are compiled.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace gsg::internal {
namespace {

constexpr int kFloatBytes = 4 * kBatchNormLanes;
typedef float Vec
    __attribute__((vector_size(kFloatBytes), aligned(4), may_alias));
typedef uint32_t Bits
    __attribute__((vector_size(kFloatBytes), aligned(4), may_alias));
typedef uint16_t UpperBits
    __attribute__((vector_size(kFloatBytes / 2), aligned(2), may_alias));

GSG_PART_OF_CLONE Vec Load(const float* from) { return *(const Vec*)from; }
GSG_PART_OF_CLONE void Store(const Vec& value, float* to) { *(Vec*)to = value; }

GSG_PART_OF_CLONE Vec Load(const BFloat16* from) {
  return (Vec)(__builtin_convertvector(*(const UpperBits*)from, Bits) << 16);
}

// Rounds to nearest, ties to even; NaN stays NaN.
GSG_PART_OF_CLONE void Store(const Vec& value, BFloat16* to) {
  const Bits bits = (Bits)value;
  const Bits rounded = bits + 0x7fff + (bits >> 16 & 1);
  const Bits chosen = value == value ? rounded : bits | 0x400000;
  *(UpperBits*)to = __builtin_convertvector(chosen >> 16, UpperBits);
}

template <class T>
GSG_PART_OF_CLONE void Statistics(const T* x, int64_t rows, int64_t channels,
                                  float* mean, float* square) {
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    Store(Vec{}, mean + c);
    Store(Vec{}, square + c);
  }
  // Distances from the first row, which is some standard deviations from the
  // mean: E[d^2] - E[d]^2 then cancels few digits.
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const Vec d = Load(x + r * channels + c) - Load(x + c);
      Store(Load(mean + c) + d, mean + c);
      Store(Load(square + c) + d * d, square + c);
    }
  }
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    const Vec sum = Load(mean + c);
    const Vec shift = sum / static_cast<float>(rows);
    const Vec rest = Load(square + c) - sum * shift;
    Store(Load(x + c) + shift, mean + c);
    Store(rest < 0 ? Vec{} : rest, square + c);
  }
}

GSG_PART_OF_CLONE Vec Line(const Vec& x, const float* scale,
                           const float* shift) {
  return x * Load(scale) + Load(shift);
}

// NaN stays, as in torch's relu.
GSG_PART_OF_CLONE Vec WherePositive(const Vec& y, const Vec& value) {
  return y <= 0 ? Vec{} : value;
}

template <class T>
GSG_PART_OF_CLONE void Affine(const T* x, const T* residual, const float* scale,
                              const float* shift, bool relu, int64_t rows,
                              int64_t channels, T* y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      Vec value = Line(Load(x + i), scale + c, shift + c);
      if (residual != nullptr) value += Load(residual + i);
      if (relu) value = WherePositive(value, value);
      Store(value, y + i);
    }
  }
}

template <class T>
GSG_PART_OF_CLONE Vec GradientOf(const T* dy, const Vec& x, ReluLine line,
                                 int64_t channel) {
  const Vec g = Load(dy);
  if (line.scale == nullptr) return g;
  return WherePositive(Line(x, line.scale + channel, line.shift + channel), g);
}

template <class T>
GSG_PART_OF_CLONE void Sums(const T* dy, const T* x, const T* y, ReluLine line,
                            const float* mean, int64_t rows, int64_t channels,
                            T* masked, float* sum, float* product) {
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    Store(Vec{}, sum + c);
    Store(Vec{}, product + c);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      const Vec value = Load(x + i);
      Vec g = GradientOf(dy + i, value, line, c);
      if (y != nullptr) {
        g = WherePositive(Load(y + i), g);
        Store(g, masked + i);
      }
      Store(Load(sum + c) + g, sum + c);
      Store(Load(product + c) + g * (value - Load(mean + c)), product + c);
    }
  }
}

template <class T>
GSG_PART_OF_CLONE void Gradient(const T* dy, const T* x, ReluLine line,
                                const float* mean, const float* scale,
                                const float* slope, const float* shift,
                                int64_t rows, int64_t channels, T* dx) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      const Vec value = Load(x + i);
      Store(GradientOf(dy + i, value, line, c) * Load(scale + c) +
                (value - Load(mean + c)) * Load(slope + c) + Load(shift + c),
            dx + i);
    }
  }
}

}  // namespace

GSG_ROW_LOOPS void BlockStatistics(const float* x, int64_t rows,
                                   int64_t channels, float* mean,
                                   float* square) {
  Statistics(x, rows, channels, mean, square);
}

GSG_ROW_LOOPS void ScaleAndShift(const float* x, const float* residual,
                                 const float* scale, const float* shift,
                                 bool relu, int64_t rows, int64_t channels,
                                 float* y) {
  Affine(x, residual, scale, shift, relu, rows, channels, y);
}

GSG_ROW_LOOPS void GradientSums(const float* dy, const float* x, const float* y,
                                ReluLine line, const float* mean, int64_t rows,
                                int64_t channels, float* masked, float* sum,
                                float* product) {
  Sums(dy, x, y, line, mean, rows, channels, masked, sum, product);
}

GSG_ROW_LOOPS void InputGradient(const float* dy, const float* x, ReluLine line,
                                 const float* mean, const float* scale,
                                 const float* slope, const float* shift,
                                 int64_t rows, int64_t channels, float* dx) {
  Gradient(dy, x, line, mean, scale, slope, shift, rows, channels, dx);
}

GSG_ROW_LOOPS void BlockStatistics(const BFloat16* x, int64_t rows,
                                   int64_t channels, float* mean,
                                   float* square) {
  Statistics(x, rows, channels, mean, square);
}

GSG_ROW_LOOPS void ScaleAndShift(const BFloat16* x, const BFloat16* residual,
                                 const float* scale, const float* shift,
                                 bool relu, int64_t rows, int64_t channels,
                                 BFloat16* y) {
  Affine(x, residual, scale, shift, relu, rows, channels, y);
}

GSG_ROW_LOOPS void GradientSums(const BFloat16* dy, const BFloat16* x,
                                const BFloat16* y, ReluLine line,
                                const float* mean, int64_t rows,
                                int64_t channels, BFloat16* masked, float* sum,
                                float* product) {
  Sums(dy, x, y, line, mean, rows, channels, masked, sum, product);
}

GSG_ROW_LOOPS void InputGradient(const BFloat16* dy, const BFloat16* x,
                                 ReluLine line, const float* mean,
                                 const float* scale, const float* slope,
                                 const float* shift, int64_t rows,
                                 int64_t channels, BFloat16* dx) {
  Gradient(dy, x, line, mean, scale, slope, shift, rows, channels, dx);
}

}  // namespace gsg::internal
