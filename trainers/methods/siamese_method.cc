#include "trainers/methods/siamese_method.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"
#include "gsg_core/meters.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/rows.h"
#include "models/backbone.h"
#include "models/siamese.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/loss/nearest_pairing.h"
#include "trainers/methods/method.h"
#include "trainers/methods/module_state.h"
#include "trainers/methods/target_network.h"
#include "trainers/optim/optimizer.h"

namespace gsg {
namespace {

class SiameseMethod final : public Method {
 public:
  SiameseMethod(SiameseModel model, std::optional<TargetNetwork> target,
                const SiameseMethodOptions& options)
      : model_(std::move(model)),
        target_(std::move(target)),
        options_(options) {}

  absl::StatusOr<StepResult> Backward(const StepInput& input) override;
  Backbone& backbone() override { return *model_->backbone; }
  void SetTraining(bool training) override;
  std::vector<ParameterGroup> ParameterGroups() override;
  NamedTensors State() override;

 private:
  SiameseModel model_;
  std::optional<TargetNetwork> target_;
  const SiameseMethodOptions options_;
};

// Biases, and the scales and shifts of norms, are the vectors. A transformer's
// class token and position embeddings go with them: both are added to tokens as
// a bias is, and DeiT, MAE and torchvision's own training leave them undecayed.
bool IsBiasOrNorm(absl::string_view name, const at::Tensor& parameter) {
  return parameter.dim() < 2 || absl::EndsWith(name, ".class_token") ||
         absl::EndsWith(name, ".pos_embedding");
}

absl::StatusOr<double> Spread(const at::Tensor& projections) {
  const at::Tensor z =
      projections.detach().to(c10::kCPU, c10::kFloat).contiguous();
  return FeatureSpread(
      Rows<const float>(z.const_data_ptr<float>(), z.size(0), z.size(1)));
}

// Puts the rows of the second images where their first images are.
void PairRows(const std::vector<int64_t>& pairing,
              std::vector<at::Tensor>& views) {
  const at::Tensor rows = at::tensor(pairing, c10::kLong).to(views[0].device());
  for (size_t v = 2; v < views.size(); ++v) {
    views[v] = views[v].index_select(0, rows);
  }
}

absl::StatusOr<StepResult> SiameseMethod::Backward(const StepInput& input) {
  if (target_) target_->Update(model_, input.progress);
  std::vector<at::Tensor> predictions, targets;
  std::optional<absl::StatusOr<double>> spread;
  for (const at::Tensor& view : input.views) {
    const at::Tensor projections = model_->project(view);
    if (!spread) spread = Spread(projections);
    if (!spread->ok()) return spread->status();
    predictions.push_back(model_->predict(projections));
    targets.push_back(target_ ? target_->Project(view) : projections.detach());
  }
  for (const at::Tensor& view : input.local_views) {
    predictions.push_back(model_->predict(model_->project(view)));
  }
  std::vector<int64_t> pairing = input.pairing;
  if (input.nearest_candidates > 0) {
    NearestOptions options;
    options.candidates = input.nearest_candidates;
    options.distance = input.loss.distance;
    options.seed = input.loss.seed;
    absl::StatusOr<std::vector<int64_t>> nearest =
        NearestPairing(targets, options);
    if (!nearest.ok()) return nearest.status();
    pairing = *std::move(nearest);
  }
  if (input.views.size() == 4) {
    PairRows(pairing, predictions);
    PairRows(pairing, targets);
    pairing.clear();
  }
  absl::StatusOr<TensorLoss> loss =
      GuidedLoss(predictions, targets, pairing, input.loss);
  if (!loss.ok()) return loss.status();
  torch::autograd::backward(predictions, loss->gradients);
  return StepResult{loss->loss, **spread, loss->pair_count};
}

void SiameseMethod::SetTraining(bool training) {
  model_->train(training);
  if (target_) target_->SetTraining(training);
}

std::vector<ParameterGroup> SiameseMethod::ParameterGroups() {
  // Four groups: the predictor or not, decayed or not.
  std::vector<ParameterGroup> groups(4);
  for (const auto& item : model_->named_parameters()) {
    const bool predictor = absl::StartsWith(item.key(), "predictor.");
    const bool decayed =
        options_.decay_bias_and_norm || !IsBiasOrNorm(item.key(), item.value());
    ParameterGroup& group = groups[2 * predictor + decayed];
    group.parameters.emplace_back(item.key(), item.value());
    group.weight_decay = decayed ? options_.weight_decay : 0;
    group.constant_lr = predictor && options_.constant_predictor_lr;
  }
  return groups;
}

NamedTensors SiameseMethod::State() {
  NamedTensors state = ModuleState("", *model_);
  if (target_) {
    for (auto& item : target_->State()) state.push_back(std::move(item));
  }
  return state;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Method>> MakeSiameseMethod(
    const SiameseMethodOptions& options, c10::Device device) {
  absl::StatusOr<SiameseModel> model = MakeSiameseModel(options.network);
  if (!model.ok()) return model.status();
  PlaceModule(**model, device);
  std::optional<TargetNetwork> target;
  if (options.target) {
    absl::StatusOr<TargetNetwork> made =
        TargetNetwork::Create(options.network, *options.target, *model, device);
    if (!made.ok()) return made.status();
    target = *std::move(made);
  }
  return std::make_unique<SiameseMethod>(*std::move(model), std::move(target),
                                         options);
}

}  // namespace gsg
