#include "models/heads.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/batch_norm.h"
#include "models/linear_layer.h"
#include "torch/nn/modules/activation.h"
#include "torch/nn/modules/batchnorm.h"

namespace gsg {
namespace {

using ::torch::nn::BatchNormOptions;
using ::torch::nn::LinearOptions;
using ::torch::nn::ReLU;
using ::torch::nn::ReLUOptions;
using ::torch::nn::Sequential;

Linear LinearWithoutBias(int64_t in, int64_t out) {
  return Linear(LinearOptions(in, out).bias(false));
}

void AppendHiddenLayer(Sequential& head, int64_t in, int64_t out) {
  head->push_back(LinearWithoutBias(in, out));
  head->push_back(BatchNorm1d(out));
  head->push_back(ReLU(ReLUOptions().inplace(true)));
}

}  // namespace

absl::StatusOr<Sequential> MakeProjector(int64_t input,
                                         const ProjectorOptions& options) {
  if (options.layers != 2 && options.layers != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("projector has ", options.layers, " layers; use 2 or 3"));
  }
  if (input <= 0 || options.hidden <= 0 || options.output <= 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "projector widths are input ", input, ", hidden ", options.hidden,
        ", output ", options.output, "; must be positive"));
  }
  Sequential projector;
  AppendHiddenLayer(projector, input, options.hidden);
  if (options.layers == 3) {
    AppendHiddenLayer(projector, options.hidden, options.hidden);
  }
  projector->push_back(LinearWithoutBias(options.hidden, options.output));
  projector->push_back(
      BatchNorm1d(BatchNormOptions(options.output).affine(false)));
  return projector;
}

absl::StatusOr<Sequential> MakePredictor(int64_t dim, int64_t hidden) {
  if (dim <= 0 || hidden <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("predictor widths are dim ",
                                                   dim, ", hidden ", hidden,
                                                   "; must be positive"));
  }
  Sequential predictor;
  AppendHiddenLayer(predictor, dim, hidden);
  predictor->push_back(Linear(hidden, dim));
  return predictor;
}

}  // namespace gsg
