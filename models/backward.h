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

// As Backward, for tensors that come from nothing in common but `parameters`,
// each on a thread of its own (threads_apart.h). Of each parameter the
// gradients are added in the order of the tensors.
void BackwardApart(const std::vector<at::Tensor>& tensors,
                   const std::vector<at::Tensor>& gradients,
                   const std::vector<at::Tensor>& parameters);

}  // namespace gsg

#endif  // GSG_MODELS_BACKWARD_H_
