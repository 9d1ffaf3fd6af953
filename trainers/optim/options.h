#ifndef GSG_TRAINERS_OPTIM_OPTIONS_H_
#define GSG_TRAINERS_OPTIM_OPTIONS_H_

#include <string>

namespace gsg {

struct OptimizerOptions {
  std::string name = "sgd";  // sgd, lars, adamw
  double momentum = 0.9;     // of sgd and lars
  double lars_coefficient = 0.001;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  // L2 penalty; of adamw decoupled from the gradient.
  double weight_decay = 5e-4;
  bool decay_bias_and_norm = true;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_OPTIONS_H_
