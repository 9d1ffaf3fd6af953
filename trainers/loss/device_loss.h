// The loss of tensors by kernels that run where the tensors are.

#ifndef GSG_TRAINERS_LOSS_DEVICE_LOSS_H_
#define GSG_TRAINERS_LOSS_DEVICE_LOSS_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/guided_loss.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "trainers/loss/guided_loss.h"

namespace gsg {

// cuda/guided_loss.h for one type, or whatever stands for it.
template <typename T>
struct LossKernel {
  absl::Status (*four)(const FourViews<T>& views,
                       const cuda::LossOptions& options,
                       const FourViewGrads<T>* grads,
                       const cuda::LossOutputs& outputs, cuda::Stream stream);
  absl::Status (*shared)(const cuda::SharedViews<T>& views,
                         const cuda::LossOptions& options,
                         const SharedGrads<T>* grads,
                         const cuda::LossOutputs& outputs, cuda::Stream stream);
  size_t (*workspace_bytes)(int64_t rows);
};

struct LossKernels {
  LossKernel<float> of_float;
  LossKernel<Half> of_half;
  LossKernel<BFloat16> of_bfloat16;
};

// Those of `cuda`; null in builds without --config=cuda.
const LossKernels* GpuLossKernels();

// Do the kernels take these predictions? Not float64, and no more than
// cuda::kMaxLocalViews local crops.
bool KernelsTake(const std::vector<at::Tensor>& p);

// GuidedLoss (guided_loss.h) of tensors that passed its checks and KernelsTake,
// launched on the current stream of their device. Nothing waits for it, and a
// CUDA graph can record it. Of `pairing`, on the same device, four views need
// the seed alone. The result is in TensorLoss::unread; it is NaN where an input
// is not finite. Errors: the kernel's.
absl::StatusOr<TensorLoss> DeviceLoss(const LossKernels& kernels,
                                      const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      const PairingTensors& pairing,
                                      const LossOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_DEVICE_LOSS_H_
