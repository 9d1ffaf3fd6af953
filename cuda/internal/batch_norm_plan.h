#ifndef GSG_CUDA_INTERNAL_BATCH_NORM_PLAN_H_
#define GSG_CUDA_INTERNAL_BATCH_NORM_PLAN_H_

#include "absl/status/statusor.h"
#include "cuda/batch_norm.h"
#include "cuda/internal/batch_norm_args.h"

// What is decided on the host before a launch.
namespace gsg::cuda::internal {

// Of groups of `width` channels. Requires a shape that is in its range.
NormGrid GridOf(const BatchNormShape& shape, int width);

// The errors of BatchNorm.
template <typename T>
absl::StatusOr<NormForwardArgs<T>> PlanBatchNorm(
    const BatchNormShape& shape, const BatchNormForward<T>& forward);
template <typename T>
absl::StatusOr<NormBackwardArgs<T>> PlanBatchNorm(
    const BatchNormShape& shape, const BatchNormBackward<T>& backward);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_BATCH_NORM_PLAN_H_
