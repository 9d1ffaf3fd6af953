#ifndef GSG_TESTS_CUDA_ADD_ONE_H_
#define GSG_TESTS_CUDA_ADD_ONE_H_

#include <cuda_runtime_api.h>

namespace gsg {

// Adds 1 to each of the n values at x, device memory, in stream order.
cudaError_t AddOne(float* x, int n, cudaStream_t stream);

}  // namespace gsg

#endif  // GSG_TESTS_CUDA_ADD_ONE_H_
