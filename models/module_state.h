// What saving, loading and moving a network needs.

#ifndef GSG_MODELS_MODULE_STATE_H_
#define GSG_MODELS_MODULE_STATE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include <string>
#include <utility>
#include <vector>

namespace gsg {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Parameters, then buffers, each named `prefix` + its name in the module.
NamedTensors ModuleState(const std::string& prefix,
                         const torch::nn::Module& module);

// Moves the module to `device`, the weights of its convolutions channels-last,
// in which they run fastest.
void PlaceModule(torch::nn::Module& module, c10::Device device);

}  // namespace gsg

#endif  // GSG_MODELS_MODULE_STATE_H_
