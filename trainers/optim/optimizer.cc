#include "trainers/optim/optimizer.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros_like.h>

#include <string>
#include <utility>
#include <vector>

namespace gsg {

Optimizer::Optimizer(std::vector<ParameterGroup> groups) {
  for (ParameterGroup& settings : groups) {
    Group group{std::move(settings), {}};
    for (const auto& [name, parameter] : group.settings.parameters) {
      group.velocities.push_back(at::zeros_like(parameter.detach()));
    }
    groups_.push_back(std::move(group));
  }
}

void Optimizer::Step(double lr, double peak_lr) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    Update update;
    update.weight_decay = group.settings.weight_decay;
    update.lr = group.settings.constant_lr ? peak_lr : lr;
    for (size_t i = 0; i < group.velocities.size(); ++i) {
      const at::Tensor& parameter = group.settings.parameters[i].second;
      if (!parameter.grad().defined()) continue;
      update.parameters.push_back(parameter);
      update.gradients.push_back(parameter.grad());
      update.velocities.push_back(group.velocities[i]);
    }
    if (!update.parameters.empty()) Apply(update);
  }
}

void Optimizer::ZeroGrad() {
  for (Group& group : groups_) {
    for (auto& [name, parameter] : group.settings.parameters) {
      parameter.mutable_grad().reset();
    }
  }
}

void Optimizer::FusedSgd(Update& update, double momentum) {
  // The operator wants no velocities without momentum.
  if (momentum == 0) update.velocities.clear();
  // `is_first_step` would copy the gradient into the velocity; starting from
  // zero velocities does the same and needs no flag in the checkpoint.
  at::_fused_sgd_(update.parameters, update.gradients, update.velocities,
                  update.weight_decay, momentum, update.lr,
                  /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                  /*is_first_step=*/false);
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::State() const {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.velocities.size(); ++i) {
      state.emplace_back(group.settings.parameters[i].first,
                         group.velocities[i]);
    }
  }
  return state;
}

}  // namespace gsg
