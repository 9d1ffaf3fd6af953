#include "trainers/methods/target_network.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/record_function.h>
#include <c10/core/Device.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "models/batch_statistics.h"
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
    SiameseModel& online, c10::Device device) {
  SiameseOptions without_predictor = network;
  without_predictor.predictor_hidden = std::nullopt;
  GSG_ASSIGN_OR_RETURN(std::shared_ptr<SiameseModel> model,
                       MakeSiameseModel(without_predictor));
  const at::NoGradGuard no_grad;
  std::map<std::string, at::Tensor> from;
  for (auto& [name, tensor] : ModuleState("", online.module())) {
    from.emplace(name, tensor);
  }
  for (auto& [name, tensor] : ModuleState("", model->module())) {
    tensor.copy_(from.at(name));
  }
  for (at::Tensor& parameter : Parameters(model->module())) {
    parameter.set_requires_grad(false);
  }
  PlaceModule(model->module(), device);
  return TargetNetwork(std::move(model), options);
}

void TargetNetwork::Update(SiameseModel& online, double progress) {
  RECORD_USER_SCOPE("target");
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> target = Parameters(model_->module());
  at::_foreach_lerp_(target, Shared(Parameters(online.module()), target),
                     1 - TargetMomentum(options_, progress));
}

at::Tensor TargetNetwork::Project(const at::Tensor& pixels, int64_t views) {
  const at::NoGradGuard no_grad;
  std::optional<BatchOfViews> scope;
  if (views > 1) scope.emplace(model_->module(), views);
  return model_->project(pixels);
}

}  // namespace gsg
