#include "trainers/optim/sgd.h"

#include <ATen/ops/_fused_sgd.h>

namespace gsg {

void Sgd::Apply(Update& update) {
  // `is_first_step` would copy the gradient into the velocity; starting from
  // zero velocities does the same and needs no flag in the checkpoint.
  at::_fused_sgd_(update.parameters, update.gradients, update.velocities,
                  update.weight_decay, momentum_, update.lr,
                  /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                  /*is_first_step=*/false);
}

}  // namespace gsg
