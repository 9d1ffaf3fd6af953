#include <cuda_runtime_api.h>

#include "cuda/internal/batch_norm_args.h"
#include "cuda/internal/batch_norm_kernel.h"
#include "cuda/internal/batch_norm_launch.h"
#include "cuda/internal/device_block.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

namespace gsg::cuda::internal {
namespace {

// Registers for the loads of several rows, which are what hides the time that
// memory takes, at kNormBlocksPerMultiprocessor.
template <typename Kernels>
__global__ void __launch_bounds__(kNormThreads, kNormBlocksPerMultiprocessor)
    NormSum(const __grid_constant__ typename Kernels::Args args) {
  __shared__ float shared[2 * Kernels::kWidth * kNormThreads];
  DeviceBlock block(nullptr);
  Kernels::Sum(block, args, shared);
}

template <typename Kernels>
__global__ void __launch_bounds__(kNormThreads)
    NormFinish(const __grid_constant__ typename Kernels::Args args) {
  __shared__ double shared[2 * kNormThreads];
  DeviceBlock block(nullptr);
  Kernels::Finish(block, args, shared);
}

template <typename Kernels>
__global__ void __launch_bounds__(kNormThreads, kNormBlocksPerMultiprocessor)
    NormApply(const __grid_constant__ typename Kernels::Args args) {
  DeviceBlock block(nullptr);
  Kernels::Apply(block, args);
}

template <typename Kernels, typename Args>
int LaunchAll(const Args& args, Stream stream) {
  const int blocks = args.grid.blocks();
  NormSum<Kernels><<<blocks, kNormThreads, 0, stream>>>(args);
  NormFinish<Kernels>
      <<<FinishBlocks(args.grid), kNormThreads, 0, stream>>>(args);
  NormApply<Kernels><<<blocks, kNormThreads, 0, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace

#define GSG_LAUNCH(T)                                               \
  int Launch(const NormForwardArgs<T>& args, Stream stream) {       \
    return LaunchAll<NormForwardKernels<T>>(args, stream);          \
  }                                                                 \
  int Launch(const NormBackwardArgs<T>& args, Stream stream) {      \
    return LaunchAll<NormBackwardKernels<T>>(args, stream);         \
  }
GSG_LAUNCH(float)
GSG_LAUNCH(Half)
GSG_LAUNCH(BFloat16)
#undef GSG_LAUNCH

}  // namespace gsg::cuda::internal
