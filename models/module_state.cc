#include "models/module_state.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

namespace gsg {

NamedTensors NamedParameters(const torch::nn::Module& module) {
  NamedTensors parameters;
  for (const auto& item : module.named_parameters()) {
    parameters.emplace_back(item.key(), item.value());
  }
  return parameters;
}

std::vector<at::Tensor> Parameters(const torch::nn::Module& module) {
  return module.parameters();
}

NamedTensors ModuleState(const std::string& prefix,
                         const torch::nn::Module& module) {
  NamedTensors state = NamedParameters(module);
  for (const auto& item : module.named_buffers()) {
    state.emplace_back(item.key(), item.value());
  }
  for (auto& [name, tensor] : state) name.insert(0, prefix);
  return state;
}

void SetModuleTraining(torch::nn::Module& module, bool training) {
  module.train(training);
}

bool IsModuleTraining(const torch::nn::Module& module) {
  return module.is_training();
}

void PlaceModule(torch::nn::Module& module, c10::Device device) {
  module.to(device);
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : module.parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

}  // namespace gsg
