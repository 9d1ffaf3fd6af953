// Passes of batch normalization over rows of channels, on raw pointers: images
// in channels-last are such rows, and so are features. The number of channels
// is a multiple of kBatchNormLanes; memory may be anywhere.

#ifndef GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_
#define GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_

#include <cstdint>

namespace gsg::internal {

inline constexpr int64_t kBatchNormLanes = 8;

// mean: of each channel; square: sum of the squared distances from it.
void BlockStatistics(const float* x, int64_t rows, int64_t channels,
                     float* mean, float* square);

// y = x scale + shift [+ residual] [, at least 0]. residual may be null.
void ScaleAndShift(const float* x, const float* residual, const float* scale,
                   const float* shift, bool relu, int64_t rows,
                   int64_t channels, float* y);

// Of g, which is dy where y > 0 and 0 elsewhere (everywhere dy if y is null):
// sum: sum of g; product: sum of g (x - mean). masked: gets g; not if y is
// null.
void GradientSums(const float* dy, const float* x, const float* y,
                  const float* mean, int64_t rows, int64_t channels,
                  float* masked, float* sum, float* product);

// dx = g scale + (x - mean) slope + shift. dx may be g.
void InputGradient(const float* g, const float* x, const float* mean,
                   const float* scale, const float* slope, const float* shift,
                   int64_t rows, int64_t channels, float* dx);

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_BATCH_NORM_KERNELS_H_
