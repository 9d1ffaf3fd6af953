#ifndef GSG_CUDA_INTERNAL_AUGMENT_PLAN_H_
#define GSG_CUDA_INTERNAL_AUGMENT_PLAN_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "cuda/augment.h"
#include "cuda/internal/augment_args.h"
#include "pixels/params.h"

namespace gsg::cuda::internal {

// Augment up to the launch, without a GPU: checks and the kernel's arguments.
template <typename T>
absl::StatusOr<AugmentArgs<T>> PlanAugment(const ImageArray& images,
                                           const AugmentSettings& settings,
                                           const int64_t* index,
                                           const AugmentParams* params,
                                           int64_t views, T* out,
                                           void* workspace, uint32_t* faults);

// A multiple of 32.
int AugmentThreads(int size);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_AUGMENT_PLAN_H_
