#include "trainers/train/trainer.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/pairing.h"
#include "gsg_core/status_macros.h"
#include "models/gpu/gpu.h"
#include "trainers/optim/make_optimizer.h"
#include "trainers/run/metrics_log.h"
#include "trainers/train/image_sizes.h"
#include "trainers/train/step_input.h"
#include "trainers/views/make_views.h"

namespace gsg {
Trainer::Trainer(const Config& config, const Dataset* dataset,
                 std::unique_ptr<Method> method, c10::Device device,
                 DamagedImages* damaged, World* world)
    : config_(config),
      channels_(dataset->train->channels()),
      method_(std::move(method)),
      device_(device),
      world_(*world),
      shared_damage_({dataset->train.get(), dataset->test.get()}, damaged),
      ranks_(world, &shared_damage_),
      evaluator_(&config_, dataset, method_.get(), device, damaged, &ranks_),
      optimizer_(MakeOptimizer(config.optimizer, method_->ParameterGroups())),
      meter_(&config_, &state_, world),
      saver_(&config_, method_.get(), optimizer_.get()) {
  state_.channel_mean = dataset->stats.mean;
  state_.channel_std = dataset->stats.std;
  state_.ranks = world->size();
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(
    const Config& config, const Dataset* dataset,
    std::unique_ptr<Method> method, c10::Device device, DamagedImages* damaged,
    World* world) {
  GSG_RETURN_IF_ERROR(CheckParts(config, *world));
  if (world->size() > 1) {
    GSG_RETURN_IF_ERROR(method->Join(world, config.pairing_scope == "world"));
  }
  GSG_RETURN_IF_ERROR(
      CheckImageSizes(config, *dataset->train, method->backbone()));
  auto trainer = absl::WrapUnique(
      new Trainer(config, dataset, std::move(method), device, damaged, world));
  GSG_ASSIGN_OR_RETURN(trainer->views_,
                       MakeViews(config, *dataset, world->rank(), world->size(),
                                 device, damaged));
  if (device.is_cuda()) trainer->PrepareGpu();

  const int64_t batches = trainer->batches_per_epoch();
  if (config.accumulate > batches) {
    return absl::InvalidArgumentError(
        absl::StrCat("--accumulate=", config.accumulate, ": an epoch has ",
                     batches, " batches of ", config.batch_size, " images"));
  }
  trainer->schedule_.peak_lr =
      config.base_lr * config.batch_size * config.accumulate / 256;
  trainer->schedule_.warmup_steps = config.warmup_epochs * batches;
  trainer->schedule_.total_steps = config.epochs * batches;
  return trainer;
}

void Trainer::PrepareGpu() {
  // A run's shapes stay the same, so that trying algorithms out pays; and
  // float32 means float32, not TensorFloat-32.
  at::globalContext().setBenchmarkCuDNN(true);
  at::globalContext().setAllowTF32CuDNN(false);
  stream_ = c10::impl::VirtualGuardImpl(device_.type())
                .getStreamFromGlobalPool(device_, /*isHighPriority=*/false);
  if (Gpu() == nullptr || !config_.cuda_graph || world_.size() > 1 ||
      config_.accumulate > 1 || config_.pairing == PairingKind::kNearest) {
    return;
  }
  recorded_ = std::make_unique<StepReplayer>(method_.get(), optimizer_.get(),
                                             Gpu()->make_recorder);
}

// A checkpoint has no gradients.
bool Trainer::BetweenUpdates() const {
  return state_.batch == batches_per_epoch() ||
         state_.batch % config_.accumulate == 0;
}

bool Trainer::OutOfSteps() const {
  return config_.max_steps > 0 && state_.step >= config_.max_steps &&
         BetweenUpdates();
}

absl::Status Trainer::Stop() {
  GSG_RETURN_IF_ERROR(ranks_.Agree());
  return absl::CancelledError(
      absl::StrCat("stopped after step ", state_.step,
                   "; everything is saved. To continue, "
                   "start the same program with\n  --resume --output_dir=",
                   config_.output_dir));
}

absl::Status Trainer::Train(const TrainerHooks& hooks) {
  std::optional<MetricsLog> log;
  if (world_.root()) {
    absl::StatusOr<MetricsLog> opened = MetricsLog::Open(
        config_.output_dir, state_.history.size(), config_.tensorboard);
    GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(opened.status()));
    if (opened.ok()) log = *std::move(opened);
  }
  // Of a run that died between saving and keeping.
  GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(KeepForGood()));
  while (state_.epoch < config_.epochs && !OutOfSteps()) {
    GSG_RETURN_IF_ERROR(TrainEpoch(hooks));
    if (state_.totals.batches == 0) break;
    const bool whole = state_.batch == views_->batches_per_epoch();
    // The rest of an epoch that max_steps cut short can be trained later, from
    // a checkpoint that does not count it as finished.
    if (!whole) GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(Save()));
    GSG_RETURN_IF_ERROR(ranks_.Agree());
    EpochRecord record = MeasuredEpoch(config_, state_, Rate(state_.step - 1));
    const absl::Status scored = evaluator_.Score(&record);
    // An evaluation can take longer than the grace that a machine about to be
    // taken away gives. The epoch is saved; the evaluation will be repeated.
    if (absl::IsCancelled(scored)) {
      GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(Save()));
      return Stop();
    }
    if (absl::IsOutOfRange(scored)) {
      return BrokeDown(config_, state_, state_.step, scored.message());
    }
    GSG_RETURN_IF_ERROR(scored);
    state_.history.push_back(record);
    if (log) {
      GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(log->Append(record)));
    }
    if (hooks.on_epoch_end) hooks.on_epoch_end(record);
    if (!whole) break;
    ++state_.epoch;
    state_.batch = 0;
    state_.totals = EpochTotals();
    GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(SaveInBackground()));
    GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(KeepForGood()));
    GSG_RETURN_IF_ERROR(ranks_.Agree());
    if (ranks_.must_stop()) {
      GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(saver_.Wait()));
      return Stop();
    }
  }
  GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(saver_.Wait()));
  return ranks_.Agree();
}

absl::Status Trainer::StartEpoch(std::optional<c10::StreamGuard>* on_stream) {
  if (stream_) {
    // After what the GPU has been asked for so far on another stream. What
    // follows the epoch need not wait for this one: the results have been read.
    c10::Event before(device_.type());
    before.record(
        c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
    before.block(*stream_);
    on_stream->emplace(*stream_);
  }
  const bool frozen = state_.epoch < config_.init_freeze_epochs;
  GSG_RETURN_IF_ERROR(method_->FreezeBackbone(frozen));
  if (recorded_ && state_.epoch == config_.init_freeze_epochs) {
    recorded_->StartAnew();
  }
  method_->SetTraining(true);
  meter_.StartEpoch(views_->batches_per_epoch());
  views_->StartEpoch(state_.epoch, state_.batch);
  return absl::OkStatus();
}

absl::Status Trainer::TrainEpoch(const TrainerHooks& hooks) {
  std::optional<c10::StreamGuard> on_stream;
  GSG_RETURN_IF_ERROR(StartEpoch(&on_stream));
  if (hooks.on_epoch_start) {
    hooks.on_epoch_start(state_.epoch + 1, state_.batch);
  }
  StepViews views;
  absl::Time start = absl::Now();
  while (!OutOfSteps()) {
    absl::StatusOr<bool> more = views_->Next(&views);
    GSG_RETURN_IF_ERROR(ranks_.Agree(more.status()));
    if (!*more) break;
    GSG_RETURN_IF_ERROR(TrainStep(views, hooks));
    const absl::Time now = absl::Now();
    state_.totals.seconds += absl::ToDoubleSeconds(now - start);
    start = now;
    if (hooks.on_step && state_.totals.batches > 0) {
      hooks.on_step(state_.batch, state_.totals.loss / state_.totals.batches);
    }
    if ((saver_.Due() || ranks_.must_stop()) && BetweenUpdates()) {
      GSG_RETURN_IF_ERROR(meter_.AddAll(hooks.on_warning));
      GSG_RETURN_IF_ERROR(ranks_.ReportRootOnly(Save()));
      if (ranks_.must_stop()) return Stop();
      start = absl::Now();
    }
  }
  const absl::Status status = meter_.AddAll(hooks.on_warning);
  state_.totals.seconds += absl::ToDoubleSeconds(absl::Now() - start);
  return status;
}

absl::Status Trainer::TrainStep(const StepViews& views,
                                const TrainerHooks& hooks) {
  const StepPart part =
      PartOfStep(state_.batch, batches_per_epoch(), config_.accumulate);
  GSG_ASSIGN_OR_RETURN(
      StepInput input,
      MakeStepInput(config_, views, state_.step, schedule_.total_steps, part,
                    device_, world_));
  const Rates rates = {Rate(state_.step), schedule_.peak_lr};
  const bool recorded = recorded_ != nullptr && recorded_->why_not().empty();
  absl::StatusOr<StepResult> result =
      recorded_ != nullptr ? recorded_->Run(input, rates)
      : part.last          ? RunStep(*method_, *optimizer_, input, rates)
                           : method_->Backward(input);
  if (recorded && !recorded_->why_not().empty() && hooks.on_warning) {
    hooks.on_warning(absl::StrCat(recorded_->why_not(),
                                  ": training goes on without, more slowly"));
  }
  if (absl::IsUnavailable(result.status()) ||
      absl::IsAborted(result.status())) {
    return result.status();
  }
  if (!result.ok()) {
    return BrokeDown(config_, state_, state_.step + 1,
                     result.status().message());
  }
  ++state_.step;
  ++state_.batch;
  meter_.Put(*std::move(result));
  return meter_.AddKnown(hooks.on_warning);
}

absl::Status Trainer::SaveInBackground() {
  if (!world_.root()) return absl::OkStatus();
  state_.damaged = shared_damage_.Records();
  return saver_.SaveInBackground(state_);
}

absl::Status Trainer::Save() {
  GSG_RETURN_IF_ERROR(SaveInBackground());
  return saver_.Wait();
}

absl::Status Trainer::KeepForGood() {
  return world_.root() ? saver_.KeepForGood(state_) : absl::OkStatus();
}

absl::Status Trainer::Restore(const RunState& state,
                              const Checkpoint* checkpoint) {
  absl::Status copied;
  if (checkpoint != nullptr) {
    copied = CopyTensors("model", checkpoint->model, method_->State());
    copied.Update(
        CopyTensors("optimizer", checkpoint->optimizer, optimizer_->State()));
  }
  GSG_RETURN_IF_ERROR(world_.Agree(copied));
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : method_->State()) tensors.push_back(tensor);
  for (const auto& [name, tensor] : optimizer_->State()) {
    tensors.push_back(tensor);
  }
  GSG_RETURN_IF_ERROR(world_.CopyFromRoot(tensors));
  state_ = state;
  state_.ranks = world_.size();
  return world_.Agree(shared_damage_.Restore(state.damaged));
}

}  // namespace gsg
