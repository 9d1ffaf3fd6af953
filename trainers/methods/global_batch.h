// What a method says to the other ranks in a step: statistics of BatchNorm,
// projections, measurements, gradients.

#ifndef GSG_TRAINERS_METHODS_GLOBAL_BATCH_H_
#define GSG_TRAINERS_METHODS_GLOBAL_BATCH_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "models/batch_parts.h"
#include "trainers/distributed/gradient_averager.h"
#include "trainers/distributed/world.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"

namespace gsg {

// Of W ranks with n rows each, N = W n in all. The order of a step is: forward
// passes, a loss, Combine, BeforeBackward, the backward pass.
//
// Scale. Each rank's backward pass starts from the gradient of its own loss,
// the mean over its n rows, and GradientAverager takes the mean over ranks:
// together the mean over N. The loss of all N rows is a mean over N already, so
// that its gradients must be taken W times as large.
class GlobalBatch final : public BatchParts {
 public:
  // `world` must outlive this.
  GlobalBatch(World* world, bool pair_across_ranks)
      : world_(*world), pair_across_ranks_(pair_across_ranks) {}

  // `parameters` are all that are trained from now on. Before the first
  // backward pass. Throws like GradientAverager.
  void AverageGradientsOf(std::vector<at::Tensor> parameters);

  // Whether images of other ranks are second images.
  bool pair_across_ranks() const { return pair_across_ranks_; }

  // For each of `mine`, [n, D] and all alike, every rank's rows: [N, D], those
  // of a single process in the same order; without autograd. Throws like
  // Gather.
  std::vector<at::Tensor> GatherRows(const std::vector<at::Tensor>& mine);

  // Of N rows this rank's n.
  at::Tensor MyRows(const at::Tensor& all) const;

  // The step's measurements on the whole batch: the loss and the chosen pairs
  // of `mine`, which is that of the rank's rows or (pair_across_ranks) of all,
  // and the spread of all ranks' `projections` [n, D] (gsg_core/meters.h). If a
  // rank's loss is an error, so is this, on all (World::Agree).
  absl::StatusOr<StepResult> Combine(const absl::StatusOr<TensorLoss>& mine,
                                     const at::Tensor& projections);

  // Before each backward pass, which then averages the gradients.
  void BeforeBackward() { averager_->BeforeBackward(); }

  at::Tensor Gather(const at::Tensor& mine) override {
    return world_.AllGather(mine);
  }

 private:
  World& world_;
  const bool pair_across_ranks_;
  std::optional<GradientAverager> averager_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_GLOBAL_BATCH_H_
