#include "models/backward.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "models/threads_apart.h"
#include "torch/csrc/autograd/autograd.h"
#include "torch/csrc/autograd/variable.h"

namespace gsg {

void Backward(const std::vector<at::Tensor>& tensors,
              const std::vector<at::Tensor>& gradients) {
  torch::autograd::backward(tensors, gradients);
}

void BackwardApart(const std::vector<at::Tensor>& tensors,
                   const std::vector<at::Tensor>& gradients,
                   const std::vector<at::Tensor>& parameters) {
  std::vector<torch::autograd::variable_list> others(tensors.size());
  ForEachApart(static_cast<int64_t>(tensors.size()), [&](int64_t view) {
    if (view == 0) {
      Backward({tensors[0]}, {gradients[0]});
    } else {
      others[view] = torch::autograd::grad(
          {tensors[view]}, parameters, {gradients[view]},
          /*retain_graph=*/std::nullopt, /*create_graph=*/false,
          /*allow_unused=*/true);
    }
  });
  const at::NoGradGuard no_grad;
  const auto add = [&](size_t i) {
    at::Tensor& sum = parameters[i].mutable_grad();
    for (const torch::autograd::variable_list& of_view : others) {
      if (of_view.empty() || !of_view[i].defined()) continue;
      if (sum.defined()) {
        sum.add_(of_view[i]);
      } else {
        sum = of_view[i];
      }
    }
  };
  std::vector<int64_t> sizes;
  for (const at::Tensor& parameter : parameters) {
    sizes.push_back(parameter.numel());
  }
  ForEachShare(sizes, [&](const std::vector<size_t>& items) {
    for (size_t i : items) add(i);
  });
}

}  // namespace gsg
