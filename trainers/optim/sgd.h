// Stochastic gradient descent with momentum and weight decay, as torch.optim
// has it (no dampening, no Nesterov):
//   g <- g + weight_decay * w;  v <- momentum * v + g;  w <- w - lr * v

#ifndef GSG_TRAINERS_OPTIM_SGD_H_
#define GSG_TRAINERS_OPTIM_SGD_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace gsg {

// Parameters that share their settings. SimSiam keeps the predictor's learning
// rate constant (arXiv 2011.10566, section 4.2): `constant_lr`.
struct SgdGroup {
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  double weight_decay = 0;
  bool constant_lr = false;
};

class Sgd {
 public:
  Sgd(std::vector<SgdGroup> groups, double momentum);

  // One step from the parameters' .grad, which is left as it is. Groups with
  // `constant_lr` use `peak_lr`, the others `lr`. A parameter without a
  // gradient is left alone.
  void Step(double lr, double peak_lr);

  // Sets every gradient to undefined, so that the next backward pass writes
  // instead of adding.
  void ZeroGrad();

  // The momentum buffers under their parameters' names: the whole state.
  std::vector<std::pair<std::string, at::Tensor>> State() const;

 private:
  struct Group {
    SgdGroup settings;
    std::vector<at::Tensor> velocities;
  };
  std::vector<Group> groups_;
  double momentum_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_SGD_H_
