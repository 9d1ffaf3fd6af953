#include "trainers/methods/measure.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/ScalarType.h>

#include <cmath>

#include "absl/status/statusor.h"
#include "gsg_core/meters.h"
#include "gsg_core/norm.h"
#include "gsg_core/rows.h"
#include "gsg_core/status_macros.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"

namespace gsg {

at::Tensor FeatureStdOnDevice(const at::Tensor& z) {
  const at::NoGradGuard no_grad;
  const at::Tensor rows = z.to(c10::kDouble);
  const at::Tensor unit =
      rows.div(at::linalg_vector_norm(rows, 2, at::IntArrayRef({1}), true)
                   .clamp_min_(kNormEpsilon));
  // Centered before it is squared: of features that have all but collapsed
  // E[x^2] - E[x]^2 would keep no digit.
  return unit.sub(unit.mean(0))
      .square_()
      .mean(0)
      .sqrt_()
      .mean()
      .mul_(std::sqrt(static_cast<double>(z.size(1))))
      .view({1});
}

absl::StatusOr<StepResult> Measure(const absl::StatusOr<TensorLoss>& loss,
                                   const at::Tensor& projections) {
  if (!loss.ok()) return loss.status();
  if (loss->on_device.defined()) {
    StepResult result;
    result.on_device = at::cat({loss->on_device.narrow(0, 0, 1),
                                FeatureStdOnDevice(projections),
                                loss->on_device.narrow(0, 1, 5)});
    return result;
  }
  const at::Tensor z = projections.to(c10::kCPU, c10::kFloat).contiguous();
  GSG_ASSIGN_OR_RETURN(const double spread,
                       FeatureStd(Rows<const float>(z.const_data_ptr<float>(),
                                                    z.size(0), z.size(1))));
  return StepResult{loss->loss, spread, loss->pair_count};
}

}  // namespace gsg
