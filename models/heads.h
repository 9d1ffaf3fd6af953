// The two heads of the siamese networks: projector and predictor.
//
// SimSiam (Chen and He, arXiv 2011.10566, section 4), with the layer numbers
// of the authors' torch.nn.Sequential as names ("0.weight", "1.weight", ...).
// One difference: the authors' projector keeps a frozen bias in its last
// Linear, which the BatchNorm behind it cancels; here it does not exist.
//
// Linear layers start with PyTorch's default, drawn from torch's global
// generator: torch::manual_seed decides every value.

#ifndef GSG_MODELS_HEADS_H_
#define GSG_MODELS_HEADS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "models/head_options.h"
#include "torch/nn/modules/container/sequential.h"

namespace gsg {

// [B, input] -> [B, output]. `layers` Linear layers without bias, BatchNorm
// behind each and ReLU between them; the last BatchNorm is not affine.
// Errors: kInvalidArgument if layers is not 2 or 3, or a width not positive.
absl::StatusOr<torch::nn::Sequential> MakeProjector(
    int64_t input, const ProjectorOptions& options);

// [B, dim] -> [B, dim]: Linear without bias, BatchNorm, ReLU, Linear.
// Errors: kInvalidArgument if a width is not positive.
absl::StatusOr<torch::nn::Sequential> MakePredictor(int64_t dim,
                                                    int64_t hidden);

}  // namespace gsg

#endif  // GSG_MODELS_HEADS_H_
