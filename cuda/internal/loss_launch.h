#ifndef GSG_CUDA_INTERNAL_LOSS_LAUNCH_H_
#define GSG_CUDA_INTERNAL_LOSS_LAUNCH_H_

#include <cuda_runtime_api.h>

#include "cuda/internal/device.h"
#include "cuda/internal/device_block.h"
#include "cuda/internal/loss_args.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"

namespace gsg::cuda::internal {

template <typename Kernel>
__global__ void __maxnreg__(Kernel::kRegisters)
    LossGlobal(const __grid_constant__ typename Kernel::Args args) {
  __shared__ BlockScratch scratch;
  // Its type has a constructor, which shared memory may not have.
  __shared__ alignas(alignof(typename Kernel::State)) unsigned char
      state[sizeof(typename Kernel::State)];
  DeviceBlock block(&scratch);
  Kernel::Run(block, args, reinterpret_cast<typename Kernel::State&>(state));
}

template <template <typename, int, int> typename Kernel, typename T,
          typename Args>
cudaError_t LaunchLoss(const Args& args, const LaunchShape& shape,
                       Stream stream) {
  constexpr int kVector = 16 / sizeof(T);
  switch (shape.access) {
    case Access::kRegisters:
      LossGlobal<Kernel<T, kVector, VectorsPerThread(sizeof(T))>>
          <<<args.blocks, shape.threads, 0, stream>>>(args);
      break;
    case Access::kVectors:
      LossGlobal<Kernel<T, kVector, 0>>
          <<<args.blocks, shape.threads, 0, stream>>>(args);
      break;
    case Access::kElements:
      LossGlobal<Kernel<T, 1, 0>>
          <<<args.blocks, shape.threads, 0, stream>>>(args);
      break;
  }
  return cudaGetLastError();
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_LOSS_LAUNCH_H_
