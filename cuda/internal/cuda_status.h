#ifndef GSG_CUDA_INTERNAL_CUDA_STATUS_H_
#define GSG_CUDA_INTERNAL_CUDA_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg::cuda::internal {

// error: a cudaError_t. Internal, with CUDA's name and words for it, unless it
// is cudaSuccess. `doing` is how the message begins.
absl::Status CudaStatus(absl::string_view doing, int error);

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_CUDA_STATUS_H_
