// What the optimisers share: groups of parameters, a momentum buffer for each
// parameter, and nothing else that a checkpoint would have to hold.

#ifndef GSG_TRAINERS_OPTIM_OPTIMIZER_H_
#define GSG_TRAINERS_OPTIM_OPTIMIZER_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace gsg {

// Parameters that share their settings. SimSiam keeps the predictor's learning
// rate constant (arXiv 2011.10566, section 4.2): `constant_lr`.
struct ParameterGroup {
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  double weight_decay = 0;
  bool constant_lr = false;
};

class Optimizer {
 public:
  explicit Optimizer(std::vector<ParameterGroup> groups);
  virtual ~Optimizer() = default;

  // One step from the parameters' .grad, which is left as it is. Groups with
  // `constant_lr` use `peak_lr`, the others `lr`. A parameter without a
  // gradient is left alone.
  void Step(double lr, double peak_lr);

  // Sets every gradient to undefined, so that the next backward pass writes
  // instead of adding.
  void ZeroGrad();

  // The momentum buffers under their parameters' names: the whole state.
  std::vector<std::pair<std::string, at::Tensor>> State() const;

 protected:
  // The parameters of one group that have a gradient.
  struct Update {
    std::vector<at::Tensor> parameters, gradients, velocities;
    double weight_decay;
    double lr;
  };

  // v <- momentum * v + g;  w <- w - lr * v, with g = gradients[i] +
  // weight_decay * w, in one pass.
  static void FusedSgd(Update& update, double momentum);

 private:
  struct Group {
    ParameterGroup settings;
    std::vector<at::Tensor> velocities;
  };

  // Called outside autograd.
  virtual void Apply(Update& update) = 0;

  std::vector<Group> groups_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_OPTIMIZER_H_
