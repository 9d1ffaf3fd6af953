// The backward pass from several tensors at once.

#ifndef GSG_MODELS_BACKWARD_H_
#define GSG_MODELS_BACKWARD_H_

#include <vector>

#include "ATen/core/Tensor.h"

namespace gsg {

// Adds to the gradients of what `tensors` come from, `gradients` being theirs:
// torch::autograd::backward, whose header is large.
void Backward(const std::vector<at::Tensor>& tensors,
              const std::vector<at::Tensor>& gradients);

}  // namespace gsg

#endif  // GSG_MODELS_BACKWARD_H_
