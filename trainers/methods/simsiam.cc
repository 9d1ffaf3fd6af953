#include "trainers/methods/simsiam.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"
#include "gsg_core/meters.h"
#include "gsg_core/rows.h"
#include "models/resnet.h"
#include "models/siamese.h"
#include "trainers/config/config.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

class SimSiam final : public Method {
 public:
  SimSiam(SiameseModel model, const Config& config)
      : model_(std::move(model)),
        weight_decay_(config.weight_decay),
        decay_bias_and_norm_(config.decay_bias_and_norm),
        constant_predictor_lr_(config.constant_predictor_lr) {}

  absl::StatusOr<StepResult> Backward(const std::vector<at::Tensor>& views,
                                      absl::Span<const int64_t> pairing,
                                      const LossOptions& options) override;

  ResNet backbone() override { return model_->backbone; }
  void SetTraining(bool training) override { model_->train(training); }
  std::vector<SgdGroup> ParameterGroups() override;
  NamedTensors State() override;

 private:
  SiameseModel model_;
  double weight_decay_;
  bool decay_bias_and_norm_;
  bool constant_predictor_lr_;
};

// Biases, and the scales and shifts of BatchNorm, are the vectors.
bool IsBiasOrNorm(const at::Tensor& parameter) { return parameter.dim() < 2; }

absl::StatusOr<double> Spread(const at::Tensor& projections) {
  const at::Tensor z = projections.detach().cpu().contiguous();
  return FeatureSpread(
      Rows<const float>(z.const_data_ptr<float>(), z.size(0), z.size(1)));
}

absl::StatusOr<StepResult> SimSiam::Backward(
    const std::vector<at::Tensor>& views, absl::Span<const int64_t> pairing,
    const LossOptions& options) {
  // One pass per view: BatchNorm's statistics are those of one view.
  std::vector<at::Tensor> predictions, projections;
  for (const at::Tensor& view : views) {
    projections.push_back(model_->project(view));
    predictions.push_back(model_->predict(projections.back()));
  }
  absl::StatusOr<TensorLoss> loss =
      GuidedLoss(predictions, projections, pairing, options);
  if (!loss.ok()) return loss.status();
  absl::StatusOr<double> spread = Spread(projections[0]);
  if (!spread.ok()) return spread.status();
  torch::autograd::backward(predictions, loss->gradients);
  return StepResult{loss->loss, *spread, loss->pair_count};
}

std::vector<SgdGroup> SimSiam::ParameterGroups() {
  // Four groups: the predictor or not, decayed or not.
  std::vector<SgdGroup> groups(4);
  for (const auto& item : model_->named_parameters()) {
    const bool predictor = absl::StartsWith(item.key(), "predictor.");
    const bool decayed = decay_bias_and_norm_ || !IsBiasOrNorm(item.value());
    SgdGroup& group = groups[2 * predictor + decayed];
    group.parameters.emplace_back(item.key(), item.value());
    group.weight_decay = decayed ? weight_decay_ : 0;
    group.constant_lr = predictor && constant_predictor_lr_;
  }
  return groups;
}

NamedTensors SimSiam::State() {
  NamedTensors state;
  for (const auto& item : model_->named_parameters()) {
    state.emplace_back(item.key(), item.value());
  }
  for (const auto& item : model_->named_buffers()) {
    state.emplace_back(item.key(), item.value());
  }
  return state;
}

absl::StatusOr<SiameseOptions> ModelOptions(const Config& config,
                                            int64_t channels) {
  const auto stem = config.stem == "imagenet" ? ResNetOptions::Stem::kImageNet
                    : config.stem == "small"
                        ? ResNetOptions::Stem::kSmall
                        : ResNetOptions::Stem::kSmallStride2;
  absl::StatusOr<ResNetOptions> backbone =
      ResNetOptionsFor(config.backbone, stem, channels);
  if (!backbone.ok()) return backbone.status();
  SiameseOptions options;
  options.backbone = *std::move(backbone);
  options.backbone.zero_init_residual = config.zero_init_residual;
  options.projector = {config.projector_layers, config.projector_hidden,
                       config.projector_dim};
  options.predictor_hidden = std::nullopt;
  if (config.predictor_hidden > 0) {
    options.predictor_hidden = config.predictor_hidden;
  }
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Method>> MakeSimSiam(const Config& config,
                                                    int64_t channels,
                                                    c10::Device device) {
  absl::StatusOr<SiameseOptions> options = ModelOptions(config, channels);
  if (!options.ok()) return options.status();
  absl::StatusOr<SiameseModel> model = MakeSiameseModel(*options);
  if (!model.ok()) return model.status();
  (*model)->to(device);
  // Convolutions run fastest on channels-last weights (docs/performance.md).
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : (*model)->parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  return std::make_unique<SimSiam>(*std::move(model), config);
}

}  // namespace gsg
