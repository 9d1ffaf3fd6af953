#include "models/module_state.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <torch/nn/module.h>

#include <string>

namespace gsg {

NamedTensors ModuleState(const std::string& prefix,
                         const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) {
    state.emplace_back(prefix + item.key(), item.value());
  }
  for (const auto& item : module.named_buffers()) {
    state.emplace_back(prefix + item.key(), item.value());
  }
  return state;
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
