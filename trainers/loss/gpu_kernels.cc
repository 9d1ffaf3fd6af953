#include "cuda/guided_loss.h"
#include "gsg_core/half.h"
#include "trainers/loss/device_loss.h"

namespace gsg {
namespace {

template <typename T>
constexpr LossKernel<T> KernelOf() {
  return {&cuda::GuidedLoss<T>, &cuda::GuidedLoss<T>,
          &cuda::LossWorkspaceBytes};
}

}  // namespace

const LossKernels* GpuLossKernels() {
  static constexpr LossKernels kKernels = {KernelOf<float>(), KernelOf<Half>(),
                                           KernelOf<BFloat16>()};
  return &kKernels;
}

}  // namespace gsg
