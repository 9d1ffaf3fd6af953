// The guided stop-gradient loss (arXiv 2503.09058, section 3) on tensors.
//
// No autograd function is needed: the loss has a gradient for p only, and
// gsg_core returns it with the loss. A training step hands it straight to the
// backward pass of the network:
//
//   auto out = GuidedLoss({p1, p2}, {z1, z2}, pairing, options);
//   torch::autograd::backward({p1, p2}, out->gradients);

#ifndef GSG_TRAINERS_LOSS_GUIDED_LOSS_H_
#define GSG_TRAINERS_LOSS_GUIDED_LOSS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"

namespace gsg {

// A step's pairing and seed as tensors on the device of the rows. A CUDA graph
// reads them at each replay.
struct PairingTensors {
  at::Tensor plan;  // [4 N + 1] int64, MakePairingPlan of cuda/pairing_plan.h
  at::Tensor seed;  // [1] int64, the bits of LossOptions::seed
};

// From a pairing of N images (empty: no plan) and a seed.
// Errors: MakePairingPlan's.
absl::StatusOr<PairingTensors> MakePairingTensors(
    absl::Span<const int64_t> pairing, uint64_t seed, c10::Device device);

// [N], the pairing itself.
at::Tensor PairingOf(const PairingTensors& tensors);

struct TensorLoss {
  double loss = 0;
  // How often the pair (11,21) (11,22) (12,21) (12,22) was chosen; last, how
  // often all views were sources (selection none).
  std::array<int64_t, 5> pair_count = {};
  std::vector<at::Tensor> gradients;  // of the loss, like `p`
  // Undefined if the numbers above hold the result. Else [6] float64 on a GPU
  // with the same in this order, and the numbers above are not set.
  at::Tensor on_device = {};
};

// Waits for `loss`, if it is still on_device.
// Errors: kInvalidArgument if it is not finite.
absl::Status Read(TensorLoss* loss);

// p: predictions, z: projections (targets; no gradient flows to them), each
// [N, D], all of one type, float32, float64, float16 or bfloat16, on one
// device.
//   shared views: p = {p1, p2}, z = {z1, z2}, and `pairing` names each row's
//     second image (gsg_core/pairing.h); behind p1 and p2 may be predictions of
//     local crops (gsg_core/loss.h, multi-crop);
//   four views: p = {p11, p12, p21, p22}, z likewise, and `pairing` is empty.
// On a GPU the kernels of `cuda` compute it, if they take the tensors
// (device_loss.h) and the build has them. Else gsg_core does on the CPU, with
// LibTorch's threads; tensors of another device are copied there and the
// gradients back. `options.executor` is ignored.
//
// Errors: kInvalidArgument as from gsg_core's GuidedLoss, and for a wrong
// number, rank or type of tensors. On a GPU what is not finite makes the loss
// NaN instead.
absl::StatusOr<TensorLoss> GuidedLoss(const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      absl::Span<const int64_t> pairing,
                                      const LossOptions& options);

// The same with pairing and seed in tensors; options.seed is ignored. Where the
// kernels do not compute it, this waits for these tensors.
absl::StatusOr<TensorLoss> RecordableLoss(const std::vector<at::Tensor>& p,
                                          const std::vector<at::Tensor>& z,
                                          const PairingTensors& pairing,
                                          const LossOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_GUIDED_LOSS_H_
