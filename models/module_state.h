// What saving, loading, moving and training a network needs. The package alone
// sees more of torch::nn, whose headers take seconds to compile.

#ifndef GSG_MODELS_MODULE_STATE_H_
#define GSG_MODELS_MODULE_STATE_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string>
#include <utility>
#include <vector>

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace gsg {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Parameters, then buffers, each named `prefix` + its name in the module.
NamedTensors ModuleState(const std::string& prefix,
                         const torch::nn::Module& module);

// Parameters in the module's order.
NamedTensors NamedParameters(const torch::nn::Module& module);
std::vector<at::Tensor> Parameters(const torch::nn::Module& module);

// Training mode, as torch::nn has it: BatchNorm uses and updates the statistics
// of its batch.
void SetModuleTraining(torch::nn::Module& module, bool training);
bool IsModuleTraining(const torch::nn::Module& module);

// Moves the module to `device`, the weights of its convolutions channels-last,
// in which they run fastest.
void PlaceModule(torch::nn::Module& module, c10::Device device);

}  // namespace gsg

#endif  // GSG_MODELS_MODULE_STATE_H_
