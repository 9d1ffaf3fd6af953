#include "cuda/batch_norm.h"

#include "absl/status/status.h"
#include "cuda/internal/batch_norm_launch.h"
#include "cuda/internal/batch_norm_plan.h"
#include "cuda/internal/cuda_status.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

namespace gsg::cuda {
namespace {

template <typename Way>
absl::Status Run(const BatchNormShape& shape, const Way& way, Stream stream) {
  const auto args = internal::PlanBatchNorm(shape, way);
  if (!args.ok()) return args.status();
  return internal::CudaStatus("launching batch normalization",
                              internal::Launch(*args, stream));
}

}  // namespace

template <typename T>
absl::Status BatchNorm(const BatchNormShape& shape,
                       const BatchNormForward<T>& forward, Stream stream) {
  return Run(shape, forward, stream);
}

template <typename T>
absl::Status BatchNorm(const BatchNormShape& shape,
                       const BatchNormBackward<T>& backward, Stream stream) {
  return Run(shape, backward, stream);
}

#define GSG_INSTANTIATE(T)                                             \
  template absl::Status BatchNorm(const BatchNormShape&,               \
                                  const BatchNormForward<T>&, Stream); \
  template absl::Status BatchNorm(const BatchNormShape&,               \
                                  const BatchNormBackward<T>&, Stream);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace gsg::cuda
