#ifndef GSG_CUDA_INTERNAL_LOSS_PLAN_H_
#define GSG_CUDA_INTERNAL_LOSS_PLAN_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/loss_args.h"

// GuidedLoss up to the launch, without a GPU: checks and the kernels'
// arguments.
namespace gsg::cuda::internal {

template <typename T>
absl::StatusOr<FourViewArgs<T>> PlanLoss(const FourViews<T>& views,
                                         const LossOptions& options,
                                         const FourViewGrads<T>* grads,
                                         const LossOutputs& outputs);
template <typename T>
absl::StatusOr<SharedViewArgs<T>> PlanLoss(const SharedViews<T>& views,
                                           const LossOptions& options,
                                           const SharedGrads<T>* grads,
                                           const LossOutputs& outputs);

// The fastest kernel for these rows.
template <typename T>
LaunchShape ShapeOf(const FourViewArgs<T>& args);
template <typename T>
LaunchShape ShapeOf(const SharedViewArgs<T>& args);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_LOSS_PLAN_H_
