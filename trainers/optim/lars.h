// LARS (You et al., arXiv 1708.03888), SGD with a learning rate for each
// layer:
//   g <- g + weight_decay * w
//   g <- coefficient * ||w|| / ||g|| * g     (weights alone)
//   v <- momentum * v + g;  w <- w - lr * v
// Norms are a whole tensor's. Where either is zero the second line is left out,
// and so it is for biases and the scales and shifts of norms and layers, the
// vectors, as SimCLR and BYOL have it.

#ifndef GSG_TRAINERS_OPTIM_LARS_H_
#define GSG_TRAINERS_OPTIM_LARS_H_

#include <utility>
#include <vector>

#include "trainers/optim/optimizer.h"

namespace gsg {

class Lars final : public Optimizer {
 public:
  Lars(std::vector<ParameterGroup> groups, double momentum, double coefficient)
      : Optimizer(std::move(groups), {kVelocity}),
        momentum_(momentum),
        coefficient_(coefficient) {}

 private:
  void Apply(Update& update) override;

  const double momentum_;
  const double coefficient_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_LARS_H_
