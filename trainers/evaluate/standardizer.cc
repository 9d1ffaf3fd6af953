#include "trainers/evaluate/standardizer.h"

#include <algorithm>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros_like.h"

namespace gsg {
namespace {

// Features whose float64 copies are held at once: 32 MiB of them.
constexpr int64_t kPieceElements = int64_t{1} << 22;

}  // namespace

Standardizer::Standardizer(const at::Tensor& train)
    : mean_(train.mean(0, /*keepdim=*/false, at::kDouble)) {
  // Whether a feature varies is read from its range, exactly: the deviation
  // of a constant is rounding noise, which must not be scaled up to 1.
  const at::Tensor varies = train.amax(0).ne(train.amin(0));
  at::Tensor squares = at::zeros_like(mean_);
  const int64_t rows = std::max<int64_t>(1, kPieceElements / train.size(1));
  for (const at::Tensor& piece : train.split(rows)) {
    squares.add_(piece.to(at::kDouble).sub_(mean_).square_().sum(0));
  }
  inverse_deviation_ = squares.div_(train.size(0))
                           .rsqrt_()
                           .masked_fill_(varies.logical_not(), 0);
}

at::Tensor Standardizer::operator()(const at::Tensor& features) const {
  return features.to(at::kDouble).sub_(mean_).mul_(inverse_deviation_);
}

}  // namespace gsg
