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

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"

namespace gsg {

struct TensorLoss {
  double loss = 0;
  // How often the pair (11,21) (11,22) (12,21) (12,22) was chosen; last, how
  // often all views were sources (selection none).
  std::array<int64_t, 5> pair_count = {};
  std::vector<at::Tensor> gradients;  // of the loss, like `p`
};

// p: predictions, z: projections (targets; no gradient flows to them), each
// [N, D], all float32 or all float64, on one device.
//   shared views: p = {p1, p2}, z = {z1, z2}, and `pairing` names each row's
//     second image (gsg_core/pairing.h); behind p1 and p2 may be predictions of
//     local crops (gsg_core/loss.h, multi-crop);
//   four views: p = {p11, p12, p21, p22}, z likewise, and `pairing` is empty.
// gsg_core computes on the CPU with LibTorch's threads; tensors of another
// device are copied there and the gradients back. `options.executor` is
// ignored.
//
// Errors: kInvalidArgument as from gsg_core's GuidedLoss, and for a wrong
// number, rank or type of tensors.
absl::StatusOr<TensorLoss> GuidedLoss(const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      absl::Span<const int64_t> pairing,
                                      const LossOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_GUIDED_LOSS_H_
