// What a step measures, where its tensors are.

#ifndef GSG_TRAINERS_METHODS_MEASURE_H_
#define GSG_TRAINERS_METHODS_MEASURE_H_

#include <ATen/core/Tensor.h>

#include "absl/status/statusor.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"

namespace gsg {

// FeatureStd (gsg_core/meters.h) of z [N, D], in float64 and as a tensor of
// one element on z's device, without waiting for it. NaN if z is not finite.
at::Tensor FeatureStdOnDevice(const at::Tensor& z);

// The step with this loss, or its error, and these projections: as numbers if
// the loss is, else on_device.
absl::StatusOr<StepResult> Measure(const absl::StatusOr<TensorLoss>& loss,
                                   const at::Tensor& projections);

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_MEASURE_H_
