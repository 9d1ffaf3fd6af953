// Stochastic gradient descent with momentum and weight decay, as torch.optim
// has it (no dampening, no Nesterov):
//   g <- g + weight_decay * w;  v <- momentum * v + g;  w <- w - lr * v

#ifndef GSG_TRAINERS_OPTIM_SGD_H_
#define GSG_TRAINERS_OPTIM_SGD_H_

#include <utility>
#include <vector>

#include "trainers/optim/optimizer.h"

namespace gsg {

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<ParameterGroup> groups, double momentum)
      : Optimizer(std::move(groups), {kVelocity}), momentum_(momentum) {}

 private:
  void Apply(Update& update) override { FusedSgd(update, momentum_); }

  const double momentum_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_SGD_H_
