#include "trainers/methods/target_network.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/record_function.h>
#include <c10/core/Device.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "models/batch_norm.h"
#include "models/module_state.h"
#include "models/siamese.h"

namespace gsg {
namespace {

// Those that the target has, too: without the predictor's. Both modules list
// backbone and projector first and in the same order.
std::vector<at::Tensor> Shared(std::vector<at::Tensor> online,
                               const std::vector<at::Tensor>& target) {
  online.resize(target.size());
  return online;
}

}  // namespace

double TargetMomentum(const TargetOptions& options, double progress) {
  if (!options.cosine) return options.momentum;
  return 1 - (1 - options.momentum) * (std::cos(M_PI * progress) + 1) / 2;
}

absl::StatusOr<TargetNetwork> TargetNetwork::Create(
    const SiameseOptions& network, const TargetOptions& options,
    const SiameseModel& online, c10::Device device) {
  SiameseOptions without_predictor = network;
  without_predictor.predictor_hidden = std::nullopt;
  GSG_ASSIGN_OR_RETURN(SiameseModel model, MakeSiameseModel(without_predictor));
  const at::NoGradGuard no_grad;
  const auto copy = [](const std::vector<at::Tensor>& from,
                       std::vector<at::Tensor> to) {
    for (size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
  };
  copy(online->parameters(), model->parameters());
  copy(online->buffers(), model->buffers());
  for (at::Tensor& parameter : model->parameters()) {
    parameter.set_requires_grad(false);
  }
  PlaceModule(*model, device);
  return TargetNetwork(std::move(model), options);
}

void TargetNetwork::Update(const SiameseModel& online, double progress) {
  RECORD_USER_SCOPE("target");
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> target = model_->parameters();
  at::_foreach_lerp_(target, Shared(online->parameters(), target),
                     1 - TargetMomentum(options_, progress));
}

at::Tensor TargetNetwork::Project(const ViewBatch& views) {
  RECORD_USER_SCOPE("target");
  const at::NoGradGuard no_grad;
  const BatchOfViews scope(*model_, views.count);
  return model_->project(views.pixels);
}

}  // namespace gsg
