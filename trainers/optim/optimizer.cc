#include "trainers/optim/optimizer.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/threads_apart.h"

namespace gsg {

Optimizer::Update Optimizer::Update::Of(
    const std::vector<size_t>& items) const {
  const auto some = [&](const std::vector<at::Tensor>& all) {
    std::vector<at::Tensor> tensors;
    for (size_t i : items) tensors.push_back(all[i]);
    return tensors;
  };
  Update update = {some(parameters), some(gradients), {}, weight_decay, lr,
                   lr_tensor};
  for (const std::vector<at::Tensor>& buffer : buffers) {
    update.buffers.push_back(some(buffer));
  }
  return update;
}

Optimizer::Optimizer(std::vector<ParameterGroup> groups,
                     std::vector<OptimizerBuffer> buffers)
    : buffers_(std::move(buffers)) {
  for (ParameterGroup& settings : groups) {
    Group group{std::move(settings), {}};
    for (const OptimizerBuffer& buffer : buffers_) {
      std::vector<at::Tensor>& tensors = group.buffers.emplace_back();
      for (const auto& [name, parameter] : group.settings.parameters) {
        tensors.push_back(
            buffer.scalar ? at::zeros({}, parameter.options().dtype(at::kFloat))
                          : at::zeros_like(parameter.detach()));
      }
    }
    groups_.push_back(std::move(group));
  }
}

void Optimizer::Step(double lr, double peak_lr) {
  SetRates(lr, peak_lr);
  StepAtRates();
}

void Optimizer::SetRates(double lr, double peak_lr) {
  rate_.value = lr;
  peak_rate_.value = peak_lr;
  for (Rate* rate : {&rate_, &peak_rate_}) {
    // A kernel with the value as its argument: nothing is copied or waited for.
    if (rate->tensor.defined()) rate->tensor.fill_(rate->value);
  }
}

void Optimizer::KeepRatesOn(c10::Device device) {
  for (Rate* rate : {&rate_, &peak_rate_}) {
    rate->tensor = at::zeros({}, at::TensorOptions(device).dtype(c10::kFloat));
  }
}

void Optimizer::StepAtRates() {
  const at::NoGradGuard no_grad;
  std::vector<Update> updates;
  for (Group& group : groups_) {
    Update update;
    update.weight_decay = group.settings.weight_decay;
    const Rate& rate = group.settings.constant_lr ? peak_rate_ : rate_;
    update.lr = rate.value;
    update.lr_tensor = rate.tensor;
    update.buffers.resize(buffers_.size());
    for (size_t i = 0; i < group.settings.parameters.size(); ++i) {
      const at::Tensor& parameter = group.settings.parameters[i].second;
      if (!parameter.grad().defined()) continue;
      update.parameters.push_back(parameter);
      update.gradients.push_back(parameter.grad());
      for (size_t b = 0; b < buffers_.size(); ++b) {
        update.buffers[b].push_back(group.buffers[b][i]);
      }
    }
    if (!update.parameters.empty()) updates.push_back(std::move(update));
  }
  if (updates.empty()) return;
  if (!updates[0].parameters[0].is_cpu()) {
    for (Update& update : updates) Apply(update);
    return;
  }
  // LibTorch's operators have all threads work on each tensor, and wait for
  // each other dozens of times.
  std::vector<int64_t> sizes;
  for (const Update& update : updates) {
    for (const at::Tensor& parameter : update.parameters) {
      sizes.push_back(parameter.numel());
    }
  }
  // `items`: of all updates, as in `sizes`.
  ForEachShare(sizes, [&](const std::vector<size_t>& items) {
    size_t first = 0;
    for (const Update& update : updates) {
      std::vector<size_t> of_update;
      for (size_t item : items) {
        if (item - first < update.parameters.size()) {
          of_update.push_back(item - first);
        }
      }
      first += update.parameters.size();
      Update some = update.Of(of_update);
      if (!some.parameters.empty()) Apply(some);
    }
  });
}

void Optimizer::ZeroGrad() {
  for (Group& group : groups_) {
    for (auto& [name, parameter] : group.settings.parameters) {
      parameter.mutable_grad().reset();
    }
  }
}

void Optimizer::FusedSgd(Update& update, double momentum) {
  std::vector<at::Tensor> velocities = update.buffers[0];
  // The operator wants no velocities without momentum.
  if (momentum == 0) velocities.clear();
  // `is_first_step` would copy the gradient into the velocity; starting from
  // zero velocities does the same and needs no flag in the checkpoint.
  const auto step = [&](const auto& lr) {
    at::_fused_sgd_(update.parameters, update.gradients, velocities,
                    update.weight_decay, momentum, lr, /*dampening=*/0,
                    /*nesterov=*/false, /*maximize=*/false,
                    /*is_first_step=*/false);
  };
  update.lr_tensor.defined() ? step(update.lr_tensor) : step(update.lr);
}

std::vector<std::pair<std::string, at::Tensor>> Optimizer::State() const {
  std::vector<std::pair<std::string, at::Tensor>> state;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.settings.parameters.size(); ++i) {
      for (size_t b = 0; b < buffers_.size(); ++b) {
        state.emplace_back(
            group.settings.parameters[i].first + buffers_[b].suffix,
            group.buffers[b][i]);
      }
    }
  }
  return state;
}

}  // namespace gsg
