#include "models/backward.h"

#include <vector>

#include "ATen/core/Tensor.h"
#include "torch/csrc/autograd/autograd.h"

namespace gsg {

void Backward(const std::vector<at::Tensor>& tensors,
              const std::vector<at::Tensor>& gradients) {
  torch::autograd::backward(tensors, gradients);
}

}  // namespace gsg
