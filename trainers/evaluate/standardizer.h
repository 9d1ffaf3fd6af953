#ifndef GSG_TRAINERS_EVALUATE_STANDARDIZER_H_
#define GSG_TRAINERS_EVALUATE_STANDARDIZER_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace gsg {

// How many rows of [N, d] features to take at a time: a float64 copy of them is
// of 32 MiB at most, unless a row is larger.
int64_t RowsAtATime(const at::Tensor& features);

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
