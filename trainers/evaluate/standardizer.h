#ifndef GSG_TRAINERS_EVALUATE_STANDARDIZER_H_
#define GSG_TRAINERS_EVALUATE_STANDARDIZER_H_

#include "ATen/core/Tensor.h"

namespace gsg {

// The affine map of each feature to mean 0 and (population) deviation 1 over
// the training rows. A feature that is constant there becomes 0.
class Standardizer {
 public:
  // train: [N, d] float32, checked.
  explicit Standardizer(const at::Tensor& train);

  // [M, d] -> [M, d] float64.
  at::Tensor operator()(const at::Tensor& features) const;

 private:
  at::Tensor mean_;
  at::Tensor inverse_deviation_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_STANDARDIZER_H_
