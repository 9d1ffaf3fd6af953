#include "tests/cuda/add_one.h"

namespace gsg {
namespace {

constexpr int kThreads = 128;

__global__ void AddOneKernel(float* x, int n) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < n) x[i] += 1;
}

}  // namespace

cudaError_t AddOne(float* x, int n, cudaStream_t stream) {
  AddOneKernel<<<(n + kThreads - 1) / kThreads, kThreads, 0, stream>>>(x, n);
  return cudaGetLastError();
}

}  // namespace gsg
