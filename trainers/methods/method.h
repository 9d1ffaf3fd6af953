// What the training loop asks of a self-supervised method. SimSiam is one;
// a method with a momentum encoder is another.

#ifndef GSG_TRAINERS_METHODS_METHOD_H_
#define GSG_TRAINERS_METHODS_METHOD_H_

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"
#include "models/resnet.h"
#include "trainers/optim/sgd.h"

namespace gsg {

// What one step measured.
struct StepResult {
  double loss = 0;
  double feature_std = 0;  // of the projections (gsg_core/meters.h)
  std::array<int64_t, 5> pair_count = {};
};

class Method {
 public:
  virtual ~Method() = default;

  // Forward and backward on the views of a batch, each [N, C, S, S] float32:
  // two views and `pairing`, or four and none (trainers/loss/guided_loss.h).
  // Leaves gradients in the parameters, added to what is there.
  // Errors: kInvalidArgument if the loss is not finite or a shape is wrong.
  virtual absl::StatusOr<StepResult> Backward(
      const std::vector<at::Tensor>& views, absl::Span<const int64_t> pairing,
      const LossOptions& options) = 0;

  // The network whose features are evaluated and kept.
  virtual ResNet backbone() = 0;

  // Training mode: BatchNorm uses and updates the statistics of its batch.
  virtual void SetTraining(bool training) = 0;

  // What the optimiser trains.
  virtual std::vector<SgdGroup> ParameterGroups() = 0;

  // Every parameter and buffer by name: what a checkpoint must hold.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_METHOD_H_
