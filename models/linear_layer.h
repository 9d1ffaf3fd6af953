#ifndef GSG_MODELS_LINEAR_LAYER_H_
#define GSG_MODELS_LINEAR_LAYER_H_

#include "ATen/core/Tensor.h"
#include "models/linear.h"
#include "torch/nn/modules/linear.h"
#include "torch/nn/pimpl.h"

namespace gsg {

// torch::nn's, whose forward() is ApplyLinear.
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;
  at::Tensor forward(const at::Tensor& x) {
    return ApplyLinear(x, weight, bias);
  }
};
TORCH_MODULE(Linear);

}  // namespace gsg

#endif  // GSG_MODELS_LINEAR_LAYER_H_
