#include "trainers/train/step_runner.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/views/view_batch.h"

namespace gsg {
namespace {

// Into memory that stays where it is, made by the first call.
void CopyTo(ViewBatch& fixed, const ViewBatch& views) {
  if (views.count == 0) return;
  if (fixed.count == 0) fixed = {at::empty_like(views.pixels), views.count};
  fixed.pixels.copy_(views.pixels);
}

}  // namespace

absl::StatusOr<StepResult> RunStep(Method& method, Optimizer& optimizer,
                                   const StepInput& input, const Rates& rates) {
  absl::StatusOr<StepResult> result = method.Backward(input);
  if (!result.ok()) return result;
  optimizer.Step(rates.lr, rates.peak_lr);
  optimizer.ZeroGrad();
  return result;
}

StepReplayer::StepReplayer(Method* method, Optimizer* optimizer,
                           MakeRecorder make_recorder)
    : method_(*method),
      optimizer_(*optimizer),
      make_recorder_(std::move(make_recorder)) {}

void StepReplayer::Copy(const StepInput& input) {
  if (fixed_.views.global.count == 0) {
    fixed_.tensors.plan = at::empty_like(input.tensors.plan);
    fixed_.tensors.seed = at::empty_like(input.tensors.seed);
    fixed_.progress = std::nullopt;
    optimizer_.KeepRatesOn(input.views.global.pixels.device());
  }
  fixed_.loss = input.loss;
  CopyTo(fixed_.views.global, input.views.global);
  CopyTo(fixed_.views.local, input.views.local);
  fixed_.tensors.plan.copy_(input.tensors.plan);
  fixed_.tensors.seed.copy_(input.tensors.seed);
}

absl::Status StepReplayer::RunFixed() {
  // Gradients are written, not added to those of the step before.
  optimizer_.ZeroGrad();
  GSG_ASSIGN_OR_RETURN(StepResult result, method_.Backward(fixed_));
  measured_ = std::move(result);
  optimizer_.StepAtRates();
  return absl::OkStatus();
}

absl::StatusOr<StepResult> StepReplayer::Run(const StepInput& input,
                                             const Rates& rates) {
  if (!why_not_.empty()) return RunStep(method_, optimizer_, input, rates);
  if (recorder_ == nullptr || input.loss.selection != fixed_.loss.selection) {
    recorder_ = make_recorder_();
    recorded_ = false;
    warm_ = 0;
  }
  Copy(input);
  if (input.progress) method_.UpdateTarget(*input.progress);
  optimizer_.SetRates(rates.lr, rates.peak_lr);
  if (warm_ == kWarmUp && !recorded_) {
    const absl::Status status =
        recorder_->Record([this] { return RunFixed(); });
    recorded_ = status.ok();
    if (!status.ok()) {
      if (!absl::IsFailedPrecondition(status)) return status;
      why_not_ = std::string(status.message());
      optimizer_.ZeroGrad();
    }
  }
  if (recorded_) {
    recorder_->Replay();
    StepResult result = measured_;
    // The next replay writes over it.
    if (result.on_device.defined()) result.on_device = result.on_device.clone();
    return result;
  }
  if (warm_ < kWarmUp) ++warm_;
  const absl::Status status = RunFixed();
  optimizer_.ZeroGrad();
  if (!status.ok()) return status;
  return std::move(measured_);
}

}  // namespace gsg
