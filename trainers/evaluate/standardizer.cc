#include "trainers/evaluate/standardizer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"

namespace gsg {

int64_t RowsAtATime(const at::Tensor& features) {
  return std::max<int64_t>(1, (int64_t{1} << 22) / features.size(1));
}

Standardizer::Standardizer(const at::Tensor& train)
    : mean_(at::zeros({train.size(1)}, train.options().dtype(at::kDouble))) {
  const std::vector<at::Tensor> pieces = train.split(RowsAtATime(train));
  for (const at::Tensor& piece : pieces) {
    mean_.add_(piece.sum(0, /*keepdim=*/false, at::kDouble));
  }
  mean_.div_(train.size(0));
  at::Tensor squares = at::zeros_like(mean_);
  for (const at::Tensor& piece : pieces) {
    squares.add_(piece.to(at::kDouble).sub_(mean_).square_().sum(0));
  }
  // Whether a feature varies is read from its range, exactly: the deviation
  // of a constant is rounding noise, which must not be scaled up to 1.
  const at::Tensor varies = train.amax(0).ne(train.amin(0));
  inverse_deviation_ = squares.div_(train.size(0))
                           .rsqrt_()
                           .masked_fill_(varies.logical_not(), 0);
}

at::Tensor Standardizer::operator()(const at::Tensor& features) const {
  return features.to(at::kDouble).sub_(mean_).mul_(inverse_deviation_);
}

}  // namespace gsg
