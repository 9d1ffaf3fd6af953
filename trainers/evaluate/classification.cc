#include "trainers/evaluate/classification.h"

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/zeros.h"

namespace gsg {

ClassificationTally::ClassificationTally(int64_t classes)
    : classes_(classes), confusion_(at::zeros({classes, classes}, at::kLong)) {}

void ClassificationTally::Add(const at::Tensor& scores,
                              const at::Tensor& labels) {
  const at::NoGradGuard no_grad;
  // The place of a row's own class: how many classes come before it. argmax
  // would not say which of two equal scores it takes.
  const at::Tensor column = labels.unsqueeze(1);
  const at::Tensor own = scores.gather(1, column);
  const at::Tensor number = at::arange(classes_, labels.options());
  const at::Tensor place =
      scores.gt(own)
          .logical_or_(scores.eq(own).logical_and_(number.lt(column)))
          .sum(1);
  in_top5_ += place.lt(5).sum().item<int64_t>();

  // The lowest class among those with the highest score.
  const at::Tensor predicted =
      number.masked_fill(scores.lt(scores.amax(1, /*keepdim=*/true)), classes_)
          .amin(1);
  const at::Tensor cell = labels.mul(classes_).add_(predicted);
  confusion_.add_(
      cell.bincount(/*weights=*/{}, /*minlength=*/classes_ * classes_)
          .view({classes_, classes_})
          .cpu());
}

Classification ClassificationTally::Result() const {
  const double rows = static_cast<double>(confusion_.sum().item<int64_t>());
  const auto correct = confusion_.diagonal().sum().item<int64_t>();
  return {100 * static_cast<double>(correct) / rows,
          100 * static_cast<double>(in_top5_) / rows, confusion_.clone()};
}

}  // namespace gsg
