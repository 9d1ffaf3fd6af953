// What the optimizers share: groups of parameters, tensors that are kept for
// each parameter, and nothing else that a checkpoint would have to hold.

#ifndef GSG_TRAINERS_OPTIM_OPTIMIZER_H_
#define GSG_TRAINERS_OPTIM_OPTIMIZER_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

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

// A tensor that an optimizer keeps for each parameter, zeros at first.
struct OptimizerBuffer {
  const char* suffix;   // to the parameter's name, in checkpoints
  bool scalar = false;  // float32 instead of the parameter's shape and dtype
};

class Optimizer {
 public:
  Optimizer(std::vector<ParameterGroup> groups,
            std::vector<OptimizerBuffer> buffers);
  virtual ~Optimizer() = default;

  // One step from the parameters' .grad, which is left as it is. Groups with
  // `constant_lr` use `peak_lr`, the others `lr`. A parameter without a
  // gradient is left alone. It is SetRates and StepAtRates.
  void Step(double lr, double peak_lr);

  // Apart from each other, so that a CUDA graph can record the second alone.
  void SetRates(double lr, double peak_lr);
  void StepAtRates();

  // From now on SetRates writes the rates, as float32, to tensors on `device`,
  // the parameters', and StepAtRates reads them there.
  void KeepRatesOn(c10::Device device);

  // Sets every gradient to undefined, so that the next backward pass writes
  // instead of adding.
  void ZeroGrad();

  // The buffers under their parameters' names and their own suffix: the whole
  // state.
  std::vector<std::pair<std::string, at::Tensor>> State() const;

 protected:
  // The parameters of one group that have a gradient.
  struct Update {
    std::vector<at::Tensor> parameters, gradients;
    // A list for each of the constructor's, in its order.
    std::vector<std::vector<at::Tensor>> buffers;
    double weight_decay;
    double lr;
    at::Tensor lr_tensor;  // stands for `lr` if defined

    // That of some of its parameters.
    Update Of(const std::vector<size_t>& items) const;
  };

  // Of SGD and LARS, under the parameter's own name.
  static constexpr OptimizerBuffer kVelocity = {""};

  // v <- momentum * v + g;  w <- w - lr * v, with g = gradients[i] +
  // weight_decay * w and v = buffers[0][i], in one pass.
  static void FusedSgd(Update& update, double momentum);

 private:
  struct Group {
    ParameterGroup settings;
    std::vector<std::vector<at::Tensor>> buffers;
  };

  // Called outside autograd; with different parameters by several threads at
  // once.
  virtual void Apply(Update& update) = 0;

  struct Rate {
    double value = 0;
    at::Tensor tensor;  // [] float32, if KeepRatesOn
  };

  const std::vector<OptimizerBuffer> buffers_;
  std::vector<Group> groups_;
  Rate rate_, peak_rate_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_OPTIMIZER_H_
