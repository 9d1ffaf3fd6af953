#include "trainers/optim/sgd.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros_like.h>

#include <string>
#include <utility>
#include <vector>

namespace gsg {

Sgd::Sgd(std::vector<SgdGroup> groups, double momentum) : momentum_(momentum) {
  for (SgdGroup& settings : groups) {
    Group group{std::move(settings), {}};
    for (const auto& [name, parameter] : group.settings.parameters) {
      group.velocities.push_back(at::zeros_like(parameter.detach()));
    }
    groups_.push_back(std::move(group));
  }
}

void Sgd::Step(double lr, double peak_lr) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_) {
    std::vector<at::Tensor> parameters, gradients, velocities;
    for (size_t i = 0; i < group.velocities.size(); ++i) {
      const at::Tensor& parameter = group.settings.parameters[i].second;
      if (!parameter.grad().defined()) continue;
      parameters.push_back(parameter);
      gradients.push_back(parameter.grad());
      velocities.push_back(group.velocities[i]);
    }
    if (parameters.empty()) continue;
    // `is_first_step` would copy the gradient into the velocity; starting from
    // zero velocities does the same and needs no flag in the checkpoint.
    at::_fused_sgd_(parameters, gradients, velocities,
                    group.settings.weight_decay, momentum_,
                    group.settings.constant_lr ? peak_lr : lr,
                    /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    /*is_first_step=*/false);
  }
}

void Sgd::ZeroGrad() {
  for (Group& group : groups_) {
    for (auto& [name, parameter] : group.settings.parameters) {
      parameter.mutable_grad().reset();
    }
  }
}

std::vector<std::pair<std::string, at::Tensor>> Sgd::State() const {
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
