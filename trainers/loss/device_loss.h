// The loss of tensors by kernels that run where the tensors are.

#ifndef GSG_TRAINERS_LOSS_DEVICE_LOSS_H_
#define GSG_TRAINERS_LOSS_DEVICE_LOSS_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/loss.h"
#include "models/gpu/gpu.h"
#include "trainers/loss/guided_loss.h"

namespace gsg {

// Do the kernels take these predictions? Not float64, and no more than
// cuda::kMaxLocalViews local crops.
bool KernelsTake(const std::vector<at::Tensor>& p);

// GuidedLoss (guided_loss.h) of tensors that passed its checks and KernelsTake,
// launched on the current stream of their device. Nothing waits for it, and a
// CUDA graph can record it. Of `pairing`, on the same device, four views need
// the seed alone. The result is in TensorLoss::on_device; it is NaN where an
// input is not finite. Errors: the kernel's.
absl::StatusOr<TensorLoss> DeviceLoss(const LossKernels& kernels,
                                      const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      const PairingTensors& pairing,
                                      const LossOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_DEVICE_LOSS_H_
