#include "trainers/optim/lars.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace gsg {

namespace {

// [C], or [C, 1, 1] as ConvNeXt's layer scales.
bool IsVector(const at::Tensor& parameter) {
  return parameter.dim() < 2 ||
         (parameter.dim() == 3 && parameter.numel() == parameter.size(0));
}

}  // namespace

void Lars::Apply(Update& update) {
  std::vector<at::Tensor> gradients = at::_foreach_add(
      update.gradients, update.parameters, update.weight_decay);
  const std::vector<at::Tensor> weight_norms =
      at::_foreach_norm(update.parameters);
  const std::vector<at::Tensor> gradient_norms = at::_foreach_norm(gradients);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (IsVector(update.parameters[i])) continue;
    const at::Tensor& w = weight_norms[i];
    const at::Tensor& g = gradient_norms[i];
    // On the parameters' device, so that a GPU is not waited for.
    gradients[i].mul_(at::where(w.gt(0).logical_and(g.gt(0)),
                                w.mul(coefficient_).div(g), at::ones_like(w)));
  }
  update.gradients = std::move(gradients);
  update.weight_decay = 0;
  FusedSgd(update, momentum_);
}

}  // namespace gsg
