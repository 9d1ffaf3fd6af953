// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101),
// as torch.optim.AdamW has it without AMSGrad. In a parameter's t-th step:
//   w <- w - lr * weight_decay * w
//   m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g^2
//   w <- w - lr * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + 1e-8)

#ifndef GSG_TRAINERS_OPTIM_ADAMW_H_
#define GSG_TRAINERS_OPTIM_ADAMW_H_

#include <utility>
#include <vector>

#include "trainers/optim/optimizer.h"

namespace gsg {

// Its state has PyTorch's names: ".exp_avg" (m), ".exp_avg_sq" (v) and ".step"
// (t) behind the parameter's.
class AdamW final : public Optimizer {
 public:
  // beta1 and beta2 from 0 to below 1.
  AdamW(std::vector<ParameterGroup> groups, double beta1, double beta2)
      : Optimizer(std::move(groups),
                  {{".exp_avg"}, {".exp_avg_sq"}, {".step", /*scalar=*/true}}),
        beta1_(beta1),
        beta2_(beta2) {}

 private:
  void Apply(Update& update) override;

  const double beta1_;
  const double beta2_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_ADAMW_H_
