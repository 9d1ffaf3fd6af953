#include "trainers/evaluate/standardizer.h"

#include "ATen/core/Tensor.h"

namespace gsg {

Standardizer::Standardizer(const at::Tensor& train)
    : mean_(train.mean(0, /*keepdim=*/false, at::kDouble)) {
  // Whether a feature varies is read from its range, exactly: the deviation
  // of a constant is rounding noise, which must not be scaled up to 1.
  const at::Tensor varies = train.amax(0).ne(train.amin(0));
  const at::Tensor deviation =
      train.to(at::kDouble).sub_(mean_).square_().mean(0).sqrt_();
  inverse_deviation_ =
      deviation.reciprocal().masked_fill_(varies.logical_not(), 0);
}

at::Tensor Standardizer::operator()(const at::Tensor& features) const {
  return features.to(at::kDouble).sub_(mean_).mul_(inverse_deviation_);
}

}  // namespace gsg
