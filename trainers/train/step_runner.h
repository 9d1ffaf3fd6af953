// Forward pass, backward pass and update: one step.

#ifndef GSG_TRAINERS_TRAIN_STEP_RUNNER_H_
#define GSG_TRAINERS_TRAIN_STEP_RUNNER_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/gpu/gpu.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"

namespace gsg {

struct Rates {
  double lr = 0;
  double peak_lr = 0;  // of groups with a constant one
};

// Method::Backward and Optimizer::Step, operation by operation. The gradients
// are gone afterwards. Errors: Backward's.
absl::StatusOr<StepResult> RunStep(Method& method, Optimizer& optimizer,
                                   const StepInput& input, const Rates& rates);

// RunStep's step, recorded once and replayed from then on, so that the CPU does
// not launch each operation. What differs from step to step (views, pairing,
// seed, rates) is copied into fixed buffers. The momentum encoder's update is
// not recorded.
//
// The first steps run without recording, because libraries select algorithms
// and allocate in them.
class StepReplayer {
 public:
  static constexpr int kWarmUp = 3;

  using MakeRecorder = std::function<std::unique_ptr<Recorder>()>;

  // `method` and `optimizer` must outlive it; the latter's rates go to tensors.
  StepReplayer(Method* method, Optimizer* optimizer,
               MakeRecorder make_recorder);

  // A step with input.tensors, on views of one shape from call to call. With
  // another selection than the step before it begins anew.
  // Errors: Backward's. If recording fails, this and all later steps are
  // RunStep's, and why_not() says so.
  absl::StatusOr<StepResult> Run(const StepInput& input, const Rates& rates);

  // Forgets what is recorded: of a network that works otherwise now.
  void StartAnew() { recorder_ = nullptr; }

  // Why steps are not recorded; empty as long as nothing speaks against it.
  const std::string& why_not() const { return why_not_; }

 private:
  absl::Status RunFixed();
  void Copy(const StepInput& input);

  Method& method_;
  Optimizer& optimizer_;
  const MakeRecorder make_recorder_;
  std::unique_ptr<Recorder> recorder_;
  int warm_ = 0;
  bool recorded_ = false;
  std::string why_not_;
  StepInput fixed_;      // tensors that stay where they are
  StepResult measured_;  // of the recorded step, likewise
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_STEP_RUNNER_H_
