#include "models/internal/batch_norm_kernels.h"

#include <cstdint>

// Compiled for AVX2, too, which is used where the machine has it. No FMA comes
// with that, so that every machine computes the same numbers. Sanitizers do not
// get along with functions that are chosen while the program is loaded.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GSG_ROW_LOOPS __attribute__((target_clones("avx2", "default")))
#else
#define GSG_ROW_LOOPS
#endif

namespace gsg::internal {
namespace {

typedef float Vec
    __attribute__((vector_size(4 * kBatchNormLanes), aligned(4), may_alias));

}  // namespace

#define GSG_AT(pointer, index) (*(Vec*)((pointer) + (index)))
#define GSG_CONST_AT(pointer, index) (*(const Vec*)((pointer) + (index)))

GSG_ROW_LOOPS void BlockStatistics(const float* x, int64_t rows,
                                   int64_t channels, float* mean,
                                   float* square) {
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    GSG_AT(mean, c) = GSG_AT(square, c) = Vec{};
  }
  // Distances from the first row, which is some standard deviations from the
  // mean: E[d^2] - E[d]^2 then cancels few digits.
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const Vec d = GSG_CONST_AT(x, r * channels + c) - GSG_CONST_AT(x, c);
      GSG_AT(mean, c) += d;
      GSG_AT(square, c) += d * d;
    }
  }
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    const Vec sum = GSG_AT(mean, c);
    const Vec shift = sum / static_cast<float>(rows);
    const Vec rest = GSG_AT(square, c) - sum * shift;
    GSG_AT(mean, c) = GSG_CONST_AT(x, c) + shift;
    GSG_AT(square, c) = rest < 0 ? Vec{} : rest;
  }
}

GSG_ROW_LOOPS void ScaleAndShift(const float* x, const float* residual,
                                 const float* scale, const float* shift,
                                 bool relu, int64_t rows, int64_t channels,
                                 float* y) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      Vec value =
          GSG_CONST_AT(x, i) * GSG_CONST_AT(scale, c) + GSG_CONST_AT(shift, c);
      if (residual != nullptr) value += GSG_CONST_AT(residual, i);
      // NaN stays, as in torch's relu.
      if (relu) value = value <= 0 ? Vec{} : value;
      GSG_AT(y, i) = value;
    }
  }
}

GSG_ROW_LOOPS void GradientSums(const float* dy, const float* x, const float* y,
                                const float* mean, int64_t rows,
                                int64_t channels, float* masked, float* sum,
                                float* product) {
  for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
    GSG_AT(sum, c) = GSG_AT(product, c) = Vec{};
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      Vec g = GSG_CONST_AT(dy, i);
      if (y != nullptr) {
        g = GSG_CONST_AT(y, i) <= 0 ? Vec{} : g;
        GSG_AT(masked, i) = g;
      }
      GSG_AT(sum, c) += g;
      GSG_AT(product, c) += g * (GSG_CONST_AT(x, i) - GSG_CONST_AT(mean, c));
    }
  }
}

GSG_ROW_LOOPS void InputGradient(const float* g, const float* x,
                                 const float* mean, const float* scale,
                                 const float* slope, const float* shift,
                                 int64_t rows, int64_t channels, float* dx) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < channels; c += kBatchNormLanes) {
      const int64_t i = r * channels + c;
      GSG_AT(dx, i) = GSG_CONST_AT(g, i) * GSG_CONST_AT(scale, c) +
                      (GSG_CONST_AT(x, i) - GSG_CONST_AT(mean, c)) *
                          GSG_CONST_AT(slope, c) +
                      GSG_CONST_AT(shift, c);
    }
  }
}

}  // namespace gsg::internal
