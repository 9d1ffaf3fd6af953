#include "trainers/optim/adamw.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>

#include <vector>

namespace gsg {

void AdamW::Apply(Update& update) {
  const std::vector<at::Tensor>& steps = update.buffers[2];
  // The operator only reads them.
  at::_foreach_add_(steps, 1);
  const auto step = [&](const auto& lr) {
    at::_fused_adamw_(update.parameters, update.gradients,
                      /*exp_avgs=*/update.buffers[0],
                      /*exp_avg_sqs=*/update.buffers[1], /*max_exp_avg_sqs=*/{},
                      steps, lr, beta1_, beta2_, update.weight_decay,
                      /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
  };
  update.lr_tensor.defined() ? step(update.lr_tensor) : step(update.lr);
}

}  // namespace gsg
