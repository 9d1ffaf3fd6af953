// What the training loop asks of a self-supervised method.

#ifndef GSG_TRAINERS_METHODS_METHOD_H_
#define GSG_TRAINERS_METHODS_METHOD_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/loss.h"
#include "models/backbone.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/optim/optimizer.h"
#include "trainers/views/view_batch.h"

namespace gsg {

class World;

// A batch of N images and what a step needs to know besides.
struct StepInput {
  StepViews views;
  // Image i's second image is pairing[i] of 0..N-1. If the method has joined a
  // world that pairs across its ranks, N is the number of all their images.
  std::vector<int64_t> pairing;
  // Above 0, `pairing` is left out and made from the targets: the closest of so
  // many others (gsg_core/nearest_pairing.h), by loss.distance and loss.seed.
  int64_t nearest_candidates = 0;
  LossOptions loss;
  // With a seed: stand for `pairing` and loss.seed, which are then not looked
  // at, in tensors on the device of the views. Not of several ranks.
  PairingTensors tensors;
  // How much of the run is done, 0..1; nullopt: UpdateTarget has been called
  // for this step.
  std::optional<double> progress = 0;
};

// What one step measured: numbers, or a tensor that is still on a GPU.
struct StepResult {
  double loss = 0;
  double feature_std = 0;  // of the projections (gsg_core/meters.h)
  std::array<int64_t, 5> pair_count = {};
  // Undefined if the numbers above hold the result. Else [7] float64 with the
  // same in this order, and the numbers above are not set.
  at::Tensor on_device = {};
};

class Method {
 public:
  virtual ~Method() = default;

  // Copies the root's State() to all ranks of `world`, which must outlive the
  // method. From then on each Backward is one of all ranks together, each with
  // its part of the batch: BatchNorm's statistics, result and gradients are
  // those of the whole batch. pair_across_ranks: so are the pairs, and without
  // it a rank's images are paired among themselves. Call it once, before the
  // first Backward, with more than one rank.
  // Errors of this and of Backward: the world's, too.
  virtual absl::Status Join(World* world, bool pair_across_ranks) = 0;

  // Called first in each step, before the batch is there: BYOL's momentum
  // encoder takes its step. `progress` is the part of the run that is done.
  virtual void UpdateTarget(double progress) { (void)progress; }

  // Forward and backward on a batch, behind UpdateTarget. Leaves gradients in
  // the parameters, added to what is there. Errors: kInvalidArgument if the
  // loss is not finite or a shape is wrong. A loss in StepResult::on_device
  // need not be finite.
  virtual absl::StatusOr<StepResult> Backward(const StepInput& input) = 0;

  // The network whose features are evaluated and kept.
  virtual Backbone& backbone() = 0;

  // Whether forward passes are in bfloat16 (autocast.h).
  virtual bool bfloat16() const { return false; }

  // Training mode: BatchNorm uses and updates the statistics of its batch.
  virtual void SetTraining(bool training) = 0;

  // Frozen, the backbone stays as it is, in training mode, too: it has no
  // gradients, and its BatchNorm uses the statistics that it has. Errors: the
  // world's.
  virtual absl::Status FreezeBackbone(bool frozen) = 0;

  // What the optimizer trains.
  virtual std::vector<ParameterGroup> ParameterGroups() = 0;

  // Every parameter and buffer by name: what a checkpoint must hold.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_METHOD_H_
