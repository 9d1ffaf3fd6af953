#include "cuda/augment.h"

#include <cstdint>

#include "absl/status/status.h"
#include "cuda/internal/augment_launch.h"
#include "cuda/internal/augment_plan.h"
#include "cuda/internal/cuda_status.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"
#include "pixels/params.h"

namespace gsg::cuda {

template <typename T>
absl::Status Augment(const ImageArray& images, const AugmentSettings& settings,
                     const int64_t* index, const AugmentParams* params,
                     int64_t views, T* out, void* workspace, uint32_t* faults,
                     Stream stream) {
  const auto args = internal::PlanAugment(images, settings, index, params,
                                          views, out, workspace, faults);
  if (!args.ok()) return args.status();
  return internal::CudaStatus(
      "launching the augmentation",
      internal::Launch(*args, internal::AugmentThreads(settings.size), stream));
}

template absl::Status Augment(const ImageArray&, const AugmentSettings&,
                              const int64_t*, const AugmentParams*, int64_t,
                              float*, void*, uint32_t*, Stream);
template absl::Status Augment(const ImageArray&, const AugmentSettings&,
                              const int64_t*, const AugmentParams*, int64_t,
                              Half*, void*, uint32_t*, Stream);
template absl::Status Augment(const ImageArray&, const AugmentSettings&,
                              const int64_t*, const AugmentParams*, int64_t,
                              BFloat16*, void*, uint32_t*, Stream);

}  // namespace gsg::cuda
