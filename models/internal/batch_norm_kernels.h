// Passes of batch normalization over rows of channels, on raw pointers: images
// in channels-last are such rows, and so are features. The number of channels
// is a multiple of kBatchNormLanes; memory may be anywhere. Values that grow
// with the batch are float or BFloat16, all of a call the same; sums and
// arithmetic are in float, results are rounded once.

#ifndef GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_
#define GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_

#include <cstdint>

#include "gsg_core/half.h"

namespace gsg::internal {

inline constexpr int64_t kBatchNormLanes = 8;

// mean: of each channel; square: sum of the squared distances from it.
void BlockStatistics(const float* x, int64_t rows, int64_t channels,
                     float* mean, float* square);
void BlockStatistics(const BFloat16* x, int64_t rows, int64_t channels,
                     float* mean, float* square);

// y = x scale + shift [+ residual] [, at least 0]. residual may be null.
void ScaleAndShift(const float* x, const float* residual, const float* scale,
                   const float* shift, bool relu, int64_t rows,
                   int64_t channels, float* y);
void ScaleAndShift(const BFloat16* x, const BFloat16* residual,
                   const float* scale, const float* shift, bool relu,
                   int64_t rows, int64_t channels, BFloat16* y);

// The line y = x scale + shift in front of a ReLU, or none if scale is null.
struct ReluLine {
  const float* scale;
  const float* shift;
};

// Of g, which is dy where y > 0, or where the line is, or everywhere if there
// is neither: sum: sum of g; product: sum of g (x - mean). masked: gets g, if
// there is a y.
void GradientSums(const float* dy, const float* x, const float* y,
                  ReluLine line, const float* mean, int64_t rows,
                  int64_t channels, float* masked, float* sum, float* product);
void GradientSums(const BFloat16* dy, const BFloat16* x, const BFloat16* y,
                  ReluLine line, const float* mean, int64_t rows,
                  int64_t channels, BFloat16* masked, float* sum,
                  float* product);

// dx = g scale + (x - mean) slope + shift, where g is dy where the line is
// above 0, or everywhere if there is none.
void InputGradient(const float* dy, const float* x, ReluLine line,
                   const float* mean, const float* scale, const float* slope,
                   const float* shift, int64_t rows, int64_t channels,
                   float* dx);
void InputGradient(const BFloat16* dy, const BFloat16* x, ReluLine line,
                   const float* mean, const float* scale, const float* slope,
                   const float* shift, int64_t rows, int64_t channels,
                   BFloat16* dx);

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_
