#include <cuda_runtime_api.h>

#include "cuda/internal/augment_args.h"
#include "cuda/internal/augment_kernel.h"
#include "cuda/internal/augment_launch.h"
#include "cuda/internal/device_block.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

namespace gsg::cuda::internal {
namespace {

// Dynamic shared memory: a view's planes, unless they are in the workspace, and
// its tables.
template <typename T>
__global__ void __launch_bounds__(kMaxAugmentThreads)
    AugmentGlobal(const __grid_constant__ AugmentArgs<T> args) {
  extern __shared__ float dynamic[];
  __shared__ BlockScratch scratch;
  using Kernel = AugmentKernel<T>;
  // Its type has a constructor, which shared memory may not have.
  __shared__ alignas(alignof(typename Kernel::State)) unsigned char
      state[sizeof(typename Kernel::State)];
  const size_t planes =
      AugmentPlanesBytes(args.images.channels, args.size) / sizeof(float);
  float* const mine = args.workspace != nullptr
                          ? args.workspace + planes * blockIdx.x
                          : dynamic;
  float* const tables = args.workspace != nullptr ? dynamic : dynamic + planes;
  DeviceBlock block(&scratch);
  Kernel::Run(block, args, mine, tables,
              reinterpret_cast<typename Kernel::State&>(state));
}

template <typename T>
cudaError_t LaunchAugment(const AugmentArgs<T>& args, int threads,
                          Stream stream) {
  size_t shared = AugmentTablesBytes(args);
  if (args.workspace == nullptr) {
    shared += AugmentPlanesBytes(args.images.channels, args.size);
  }
  // Beyond 48 kB it has to be asked for; no stream is involved.
  const cudaError_t error = cudaFuncSetAttribute(
      AugmentGlobal<T>, cudaFuncAttributeMaxDynamicSharedMemorySize,
      static_cast<int>(kSharedBytes));
  if (error != cudaSuccess) return error;
  AugmentGlobal<T><<<args.views, threads, shared, stream>>>(args);
  return cudaGetLastError();
}

}  // namespace

int Launch(const AugmentArgs<float>& args, int threads, Stream stream) {
  return LaunchAugment(args, threads, stream);
}

int Launch(const AugmentArgs<Half>& args, int threads, Stream stream) {
  return LaunchAugment(args, threads, stream);
}

int Launch(const AugmentArgs<BFloat16>& args, int threads, Stream stream) {
  return LaunchAugment(args, threads, stream);
}

}  // namespace gsg::cuda::internal
