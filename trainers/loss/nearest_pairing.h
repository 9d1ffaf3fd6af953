// The pairing by projections (gsg_core/nearest_pairing.h) on tensors.

#ifndef GSG_TRAINERS_LOSS_NEAREST_PAIRING_H_
#define GSG_TRAINERS_LOSS_NEAREST_PAIRING_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/nearest_pairing.h"

namespace gsg {

// z: projections of each image's views, [N, D] float32, float64, float16 or
// bfloat16, on one device: two, of images that show the same views in both
// roles, or four, of which the last two are what an image shows as a second
// one. gsg_core computes on the CPU with LibTorch's threads; options.executor
// is ignored.
//
// Errors: kInvalidArgument as from gsg_core's NearestPairing, and for a wrong
// number, rank or type of tensors.
absl::StatusOr<std::vector<int64_t>> NearestPairing(
    const std::vector<at::Tensor>& z, const NearestOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_LOSS_NEAREST_PAIRING_H_
