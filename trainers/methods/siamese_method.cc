#include "trainers/methods/siamese_method.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/record_function.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/backward.h"
#include "models/batch_statistics.h"
#include "models/module_state.h"
#include "models/siamese.h"
#include "models/threads_apart.h"
#include "trainers/distributed/world.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/loss/nearest_pairing.h"
#include "trainers/methods/autocast.h"
#include "trainers/methods/global_batch.h"
#include "trainers/methods/measure.h"
#include "trainers/methods/method.h"
#include "trainers/methods/target_network.h"
#include "trainers/optim/optimizer.h"
#include "trainers/views/view_batch.h"

namespace gsg {
namespace {

class SiameseMethod final : public Method {
 public:
  SiameseMethod(std::shared_ptr<SiameseModel> model,
                std::optional<TargetNetwork> target,
                const SiameseMethodOptions& options)
      : model_(std::move(model)),
        target_(std::move(target)),
        options_(options) {}

  absl::Status Join(World* world, bool pair_across_ranks) override;
  void UpdateTarget(double progress) override {
    if (target_) target_->Update(*model_, progress);
  }
  absl::StatusOr<StepResult> Backward(const StepInput& input) override;
  Backbone& backbone() override { return model_->backbone(); }
  bool bfloat16() const override { return options_.bfloat16; }
  void SetTraining(bool training) override;
  absl::Status FreezeBackbone(bool frozen) override;
  std::vector<ParameterGroup> ParameterGroups() override;
  NamedTensors State() override;

 private:
  // Of each view: [N, D]. Only predictions have gradients.
  struct Outputs {
    std::vector<at::Tensor> projections, predictions, targets;
  };

  bool Apart(const StepViews& views) const;
  // Without `targets` those are empty.
  Outputs Forward(const ViewBatch& views, bool targets);
  Outputs ForwardApart(const ViewBatch& views, bool targets);
  absl::StatusOr<StepResult> Step(const StepInput& input);
  absl::StatusOr<TensorLoss> LossOfWorld(
      const std::vector<at::Tensor>& predictions,
      const std::vector<at::Tensor>& targets, const StepInput& input);

  const std::shared_ptr<SiameseModel> model_;
  std::optional<TargetNetwork> target_;
  const SiameseMethodOptions options_;
  bool training_ = true;
  bool frozen_ = false;
  // Null before Join.
  World* world_ = nullptr;
  std::unique_ptr<GlobalBatch> ranks_;
};

std::vector<at::Tensor> Trained(const torch::nn::Module& module) {
  std::vector<at::Tensor> trained;
  for (at::Tensor& parameter : Parameters(module)) {
    if (parameter.requires_grad()) trained.push_back(parameter);
  }
  return trained;
}

// Biases, and the scales and shifts of norms, are the vectors. A transformer's
// class token and position embeddings go with them: both are added to tokens as
// a bias is, and DeiT, MAE and torchvision's own training leave them undecayed.
// So does ConvNeXt's with its layer scales, which are vectors there.
bool IsBiasOrNorm(absl::string_view name, const at::Tensor& parameter) {
  return parameter.dim() < 2 || absl::EndsWith(name, ".class_token") ||
         absl::EndsWith(name, ".pos_embedding") ||
         absl::EndsWith(name, ".layer_scale");
}

absl::Status CheckRows(absl::string_view name, const ViewBatch& views) {
  const at::Tensor& pixels = views.pixels;
  if (views.count > 0 && pixels.dim() == 4 && pixels.size(0) > 0 &&
      pixels.size(0) % views.count == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": [", absl::StrJoin(pixels.sizes(), ", "),
                   "] is not [images * ", views.count, ", C, S, S]"));
}

void AppendViews(const at::Tensor& rows, int64_t count,
                 std::vector<at::Tensor>& views) {
  for (at::Tensor& view : rows.split(rows.size(0) / count)) {
    views.push_back(std::move(view));
  }
}

at::Tensor RowsOn(c10::Device device, const std::vector<int64_t>& pairing) {
  return at::tensor(pairing, c10::kLong).to(device);
}

// Puts the rows of the second images where their first images are.
void PairRows(const at::Tensor& pairing, std::vector<at::Tensor>& views) {
  for (size_t v = 2; v < views.size(); ++v) {
    views[v] = views[v].index_select(0, pairing);
  }
}

// Takes that back for one view.
at::Tensor UnpairRows(const at::Tensor& pairing, const at::Tensor& view) {
  return at::empty_like(view).index_copy_(0, pairing, view);
}

// That of `input`, or the one that it asks to be made of the targets.
absl::StatusOr<std::vector<int64_t>> Pairing(
    const StepInput& input, const std::vector<at::Tensor>& targets) {
  if (input.nearest_candidates == 0) return input.pairing;
  NearestOptions options;
  options.candidates = input.nearest_candidates;
  options.distance = input.loss.distance;
  options.seed = input.loss.seed;
  return NearestPairing(targets, options);
}

// Puts four views' second images in the rows of their first ones, in place.
absl::StatusOr<TensorLoss> LossOfBatch(std::vector<at::Tensor>& predictions,
                                       std::vector<at::Tensor>& targets,
                                       const StepInput& input) {
  RECORD_USER_SCOPE("loss");
  const bool four = input.views.global.count == 4;
  if (input.tensors.seed.defined()) {
    PairingTensors pairing = input.tensors;
    if (four) {
      const at::Tensor rows = PairingOf(pairing);
      PairRows(rows, predictions);
      PairRows(rows, targets);
      pairing.plan.reset();
    }
    return RecordableLoss(predictions, targets, pairing, input.loss);
  }
  GSG_ASSIGN_OR_RETURN(std::vector<int64_t> pairing, Pairing(input, targets));
  if (four) {
    const at::Tensor rows = RowsOn(predictions[0].device(), pairing);
    PairRows(rows, predictions);
    PairRows(rows, targets);
    pairing.clear();
  }
  return GuidedLoss(predictions, targets, pairing, input.loss);
}

// Of all ranks' rows, which are those of a single process in the same order.
// Every rank computes it, from gathered tensors, and keeps the gradients of its
// own rows: those with respect to `predictions`, which stay as they are.
absl::StatusOr<TensorLoss> SiameseMethod::LossOfWorld(
    const std::vector<at::Tensor>& predictions,
    const std::vector<at::Tensor>& targets, const StepInput& input) {
  RECORD_USER_SCOPE("loss");
  std::vector<at::Tensor> p = ranks_->GatherRows(predictions);
  std::vector<at::Tensor> z = ranks_->GatherRows(targets);
  GSG_ASSIGN_OR_RETURN(std::vector<int64_t> pairing, Pairing(input, z));
  const bool four = input.views.global.count == 4;
  at::Tensor rows;
  if (four) {
    rows = RowsOn(p[0].device(), pairing);
    PairRows(rows, p);
    PairRows(rows, z);
  }
  LossOptions options = input.loss;
  options.grad_scale *= world_->size();  // see GlobalBatch
  absl::StatusOr<TensorLoss> loss = GuidedLoss(
      p, z, four ? absl::Span<const int64_t>() : absl::MakeConstSpan(pairing),
      options);
  if (!loss.ok()) return loss;
  for (size_t v = 0; v < loss->gradients.size(); ++v) {
    at::Tensor& gradient = loss->gradients[v];
    if (four && v >= 2) gradient = UnpairRows(rows, gradient);
    gradient = ranks_->MyRows(gradient);
  }
  return loss;
}

absl::Status SiameseMethod::Join(World* world, bool pair_across_ranks) {
  std::vector<at::Tensor> state;
  for (const auto& [name, tensor] : State()) state.push_back(tensor);
  GSG_RETURN_IF_ERROR(world->CopyFromRoot(state));
  world_ = world;
  return world->Try([&] {
    ranks_ = std::make_unique<GlobalBatch>(world, pair_across_ranks);
    ranks_->AverageGradientsOf(Trained(model_->module()));
    SynchronizeBatchNorm(model_->module(), ranks_.get());
    if (target_) target_->Synchronize(ranks_.get());
  });
}

absl::StatusOr<StepResult> SiameseMethod::Backward(const StepInput& input) {
  if (ranks_ == nullptr) return Step(input);
  // What a lost peer makes Gather throw passes through autograd.
  absl::StatusOr<StepResult> result;
  const absl::Status status = world_->Try([&] { result = Step(input); });
  if (!status.ok()) return status;
  return result;
}

// Does each thread compute views of its own, from pixels to gradients? Threads
// that share each layer wait for each other after each, and where other
// programs have a core that is most of what they do. But then each of them
// transforms all weights and adds to gradients of all, for which there had
// better be images enough, and products of few images are slow
// (docs/performance.md, a view for each thread).
bool SiameseMethod::Apart(const StepViews& views) const {
  constexpr int64_t kFewestImages = 32;
  constexpr int64_t kMostWeights = 200'000;  // for each image
  const int64_t images = views.global.images();
  const int64_t threads = at::get_num_threads();
  if (threads == 1 || views.global.count % threads != 0 ||
      views.local.count % threads != 0 || images < kFewestImages ||
      !views.global.pixels.is_cpu() || bfloat16() || ranks_ != nullptr) {
    return false;
  }
  int64_t weights = 0;
  for (const at::Tensor& parameter : Parameters(model_->module())) {
    weights += parameter.numel();
  }
  return weights <= kMostWeights * images;
}

SiameseMethod::Outputs SiameseMethod::Forward(const ViewBatch& views,
                                              bool targets) {
  Outputs outputs;
  {
    RECORD_USER_SCOPE("forward");
    const BatchOfViews scope(model_->module(), views.count);
    const at::Tensor z = model_->project(views.pixels);
    AppendViews(model_->predict(z), views.count, outputs.predictions);
    AppendViews(z.detach(), views.count, outputs.projections);
  }
  if (!targets) return outputs;
  if (target_) {
    RECORD_USER_SCOPE("target");
    AppendViews(target_->Project(views.pixels, views.count), views.count,
                outputs.targets);
  } else {
    outputs.targets = outputs.projections;
  }
  return outputs;
}

SiameseMethod::Outputs SiameseMethod::ForwardApart(const ViewBatch& views,
                                                   bool targets) {
  RECORD_USER_SCOPE("forward");
  Outputs outputs;
  outputs.projections.resize(views.count);
  outputs.predictions.resize(views.count);
  if (targets) outputs.targets.resize(views.count);
  ForEachApart(views.count, [&](int64_t v) {
    const at::Tensor pixels = views.view(v);
    const at::Tensor z = model_->project(pixels);
    outputs.predictions[v] = model_->predict(z);
    outputs.projections[v] = z.detach();
    if (targets) {
      outputs.targets[v] =
          target_ ? target_->Project(pixels, 1) : outputs.projections[v];
    }
  });
  return outputs;
}

absl::StatusOr<StepResult> SiameseMethod::Step(const StepInput& input) {
  const ViewBatch& global = input.views.global;
  const ViewBatch& local = input.views.local;
  GSG_RETURN_IF_ERROR(CheckRows("views", global));
  if (local.count > 0) GSG_RETURN_IF_ERROR(CheckRows("local views", local));
  if (input.progress) UpdateTarget(*input.progress);
  const bool apart = Apart(input.views);
  std::vector<at::Tensor> predictions, targets;
  at::Tensor first;
  {
    const Autocast autocast(bfloat16(), global.pixels.device());
    const auto forward = [&](const ViewBatch& views, bool with_targets) {
      return apart ? ForwardApart(views, with_targets)
                   : Forward(views, with_targets);
    };
    Outputs outputs = forward(global, true);
    predictions = std::move(outputs.predictions);
    targets = std::move(outputs.targets);
    first = outputs.projections.front();
    if (local.count > 0) {
      for (at::Tensor& view : forward(local, false).predictions) {
        predictions.push_back(std::move(view));
      }
    }
  }
  absl::StatusOr<TensorLoss> loss =
      ranks_ != nullptr && ranks_->pair_across_ranks()
          ? LossOfWorld(predictions, targets, input)
          : LossOfBatch(predictions, targets, input);
  if (ranks_ != nullptr && loss.ok()) {
    // Ranks tell each other numbers.
    if (absl::Status s = Read(&*loss); !s.ok()) loss = s;
  }
  absl::StatusOr<StepResult> result =
      ranks_ != nullptr ? ranks_->Combine(loss, first) : Measure(loss, first);
  if (!result.ok()) return result;
  if (ranks_ != nullptr) ranks_->BeforeBackward();
  RECORD_USER_SCOPE("backward");
  if (apart) {
    BackwardApart(predictions, loss->gradients, Trained(model_->module()));
  } else {
    gsg::Backward(predictions, loss->gradients);
  }
  return result;
}

void SiameseMethod::SetTraining(bool training) {
  training_ = training;
  SetModuleTraining(model_->module(), training);
  if (frozen_) SetModuleTraining(backbone().module(), false);
  if (target_) target_->SetTraining(training, frozen_);
}

absl::Status SiameseMethod::FreezeBackbone(bool frozen) {
  if (frozen == frozen_) return absl::OkStatus();
  frozen_ = frozen;
  for (at::Tensor& parameter : Parameters(backbone().module())) {
    parameter.set_requires_grad(!frozen);
  }
  SetTraining(training_);
  if (ranks_ == nullptr) return absl::OkStatus();
  return world_->Try(
      [&] { ranks_->AverageGradientsOf(Trained(model_->module())); });
}

std::vector<ParameterGroup> SiameseMethod::ParameterGroups() {
  // Four groups: the predictor or not, decayed or not.
  std::vector<ParameterGroup> groups(4);
  for (auto& [name, parameter] : NamedParameters(model_->module())) {
    const bool predictor = absl::StartsWith(name, "predictor.");
    const bool decayed =
        options_.decay_bias_and_norm || !IsBiasOrNorm(name, parameter);
    ParameterGroup& group = groups[2 * predictor + decayed];
    group.parameters.emplace_back(name, parameter);
    group.weight_decay = decayed ? options_.weight_decay : 0;
    group.constant_lr = predictor && options_.constant_predictor_lr;
  }
  return groups;
}

NamedTensors SiameseMethod::State() {
  NamedTensors state = ModuleState("", model_->module());
  if (target_) {
    for (auto& item : target_->State()) state.push_back(std::move(item));
  }
  return state;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Method>> MakeSiameseMethod(
    const SiameseMethodOptions& options, c10::Device device) {
  GSG_ASSIGN_OR_RETURN(std::shared_ptr<SiameseModel> model,
                       MakeSiameseModel(options.network));
  if (options.prepare_backbone) {
    GSG_RETURN_IF_ERROR(options.prepare_backbone(model->backbone()));
  }
  PlaceModule(model->module(), device);
  std::optional<TargetNetwork> target;
  if (options.target) {
    GSG_ASSIGN_OR_RETURN(TargetNetwork made,
                         TargetNetwork::Create(options.network, *options.target,
                                               *model, device));
    target = std::move(made);
  }
  return std::make_unique<SiameseMethod>(std::move(model), std::move(target),
                                         options);
}

}  // namespace gsg
