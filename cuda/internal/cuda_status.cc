#include "cuda/internal/cuda_status.h"

#include <cuda_runtime_api.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg::cuda::internal {

absl::Status CudaStatus(absl::string_view doing, int error) {
  const cudaError_t code = static_cast<cudaError_t>(error);
  if (code == cudaSuccess) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(doing, ": ", cudaGetErrorName(code),
                                          ": ", cudaGetErrorString(code)));
}

}  // namespace gsg::cuda::internal
