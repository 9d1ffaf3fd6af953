#include "cuda/batch_norm.h"
#include "gsg_core/half.h"
#include "models/device_batch_norm.h"

namespace gsg {
namespace {

template <typename T>
constexpr BatchNormKernel<T> KernelOf() {
  return {&cuda::BatchNorm<T>, &cuda::BatchNorm<T>};
}

}  // namespace

const BatchNormKernels* GpuBatchNormKernels() {
  static constexpr BatchNormKernels kKernels = {
      KernelOf<float>(), KernelOf<Half>(), KernelOf<BFloat16>()};
  return &kKernels;
}

}  // namespace gsg
