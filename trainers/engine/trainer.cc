#include "trainers/engine/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gsg_core/distance.h"
#include "gsg_core/meters.h"
#include "gsg_core/pairing.h"
#include "gsg_core/random.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "trainers/augment/augment.h"
#include "trainers/checkpoint/checkpoint.h"
#include "trainers/checkpoint/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/console/metrics_log.h"
#include "trainers/data/channel_stats.h"
#include "trainers/data/damaged_images.h"
#include "trainers/data/dataset.h"
#include "trainers/data/evaluation_images.h"
#include "trainers/data/image_set_source.h"
#include "trainers/data/image_source.h"
#include "trainers/data/loader.h"
#include "trainers/distributed/world.h"
#include "trainers/engine/collapse_watch.h"
#include "trainers/engine/features.h"
#include "trainers/engine/interrupt.h"
#include "trainers/engine/loaded_views.h"
#include "trainers/engine/resident_views.h"
#include "trainers/engine/result_queue.h"
#include "trainers/engine/run_directory.h"
#include "trainers/engine/run_state.h"
#include "trainers/engine/step_runner.h"
#include "trainers/engine/view_source.h"
#include "trainers/evaluate/knn.h"
#include "trainers/gpu/gpu.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/autocast.h"
#include "trainers/methods/method.h"
#include "trainers/optim/make_optimizer.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/schedule.h"

namespace gsg {
namespace {

// Images whose effective rank is measured where no test set says how many.
constexpr int64_t kUnlabelledQueries = 2000;

AugmentOptions Augmentation(const Config& config, const ChannelStats& stats) {
  AugmentOptions options;
  options.size = config.crop_size;
  options.crop_scale_min = config.crop_scale_min;
  options.crop_scale_max = config.crop_scale_max;
  options.crop_ratio_min = config.crop_ratio_min;
  options.crop_ratio_max = config.crop_ratio_max;
  options.hflip_prob = config.hflip_prob;
  options.jitter_prob = config.jitter_prob;
  options.brightness = config.brightness;
  options.contrast = config.contrast;
  options.saturation = config.saturation;
  options.hue = config.hue;
  options.gamma = config.gamma;
  options.tone_curve = config.tone_curve;
  options.grayscale_prob = config.grayscale_prob;
  options.blur_prob = config.blur_prob;
  options.blur_sigma_min = config.blur_sigma_min;
  options.blur_sigma_max = config.blur_sigma_max;
  options.solarize_prob = config.solarize_prob;
  options.mean.assign(stats.mean.begin(), stats.mean.end());
  options.std.assign(stats.std.begin(), stats.std.end());
  return options;
}

// The smaller views of multi-crop: of a smaller part of the image, else alike.
AugmentOptions LocalAugmentation(const Config& config,
                                 const ChannelStats& stats) {
  AugmentOptions options = Augmentation(config, stats);
  options.size = config.local_crop_size;
  options.crop_scale_min = config.local_crop_scale_min;
  options.crop_scale_max = config.local_crop_scale_max;
  return options;
}

// Images of a data set in memory stay on a GPU, if there is one and a kernel to
// augment them there.
absl::StatusOr<std::unique_ptr<ViewSource>> MakeViews(
    const Config& config, const Dataset& dataset, const LoaderOptions& options,
    c10::Device device, DamagedImages* damaged) {
  const AugmentOptions augment = Augmentation(config, dataset.stats);
  const auto* in_memory =
      dynamic_cast<const ImageSetSource*>(dataset.train.get());
  if (device.is_cuda() && config.data_on_gpu && in_memory != nullptr &&
      GpuAugmentation() != nullptr) {
    return ResidentViews::Create(in_memory->images(), augment, options, device,
                                 GpuAugmentation());
  }
  absl::StatusOr<std::unique_ptr<BatchLoader>> loader =
      BatchLoader::Create(dataset.train.get(), augment, options, damaged);
  if (!loader.ok()) return loader.status();
  return std::make_unique<LoadedViews>(*std::move(loader), device);
}

// Can `world` share the batches out?
absl::Status CheckParts(const Config& config, const World& world) {
  if (config.batch_size % world.size() != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch_size=", config.batch_size, " is not a multiple of the ",
        world.size(), " processes, of which each takes an equal part"));
  }
  if (config.precision == "bfloat16" && world.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--precision=bfloat16 is for one process, and these are ",
                     world.size(), ", which train in float32: leave it out"));
  }
  if (config.batch_size / world.size() < 2 && config.pairing_scope == "rank") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--batch_size=", config.batch_size, " leaves each of the ",
        world.size(),
        " processes one image, which has no other to be paired with: use "
        "--pairing_scope=world or fewer processes"));
  }
  if (config.pairing == "nearest" && config.pairing_scope == "rank" &&
      config.pairing_candidates >= config.batch_size / world.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--pairing_candidates=", config.pairing_candidates, ": each of the ",
        world.size(), " processes has ", config.batch_size / world.size(),
        " images of a batch, which must be more; or use "
        "--pairing_scope=world"));
  }
  return absl::OkStatus();
}

}  // namespace

Trainer::Trainer(const Config& config, const Dataset* dataset,
                 std::unique_ptr<Method> method, c10::Device device,
                 DamagedImages* damaged, World* world)
    : config_(config),
      dataset_(*dataset),
      method_(std::move(method)),
      device_(device),
      damaged_(*damaged),
      world_(*world),
      shared_damage_({dataset->train.get(), dataset->test.get()}, damaged),
      optimizer_(MakeOptimizer(config, method_->ParameterGroups())) {
  state_.channel_mean = dataset->stats.mean;
  state_.channel_std = dataset->stats.std;
  state_.ranks = world->size();
}

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(
    const Config& config, const Dataset* dataset,
    std::unique_ptr<Method> method, c10::Device device, DamagedImages* damaged,
    World* world) {
  if (absl::Status s = CheckParts(config, *world); !s.ok()) return s;
  const bool pair_across_ranks = config.pairing_scope == "world";
  if (world->size() > 1) {
    if (absl::Status s = method->Join(world, pair_across_ranks); !s.ok()) {
      return s;
    }
  }
  auto trainer = absl::WrapUnique(
      new Trainer(config, dataset, std::move(method), device, damaged, world));

  absl::StatusOr<Distance> distance = ParseDistance(config.distance);
  if (!distance.ok()) return distance.status();
  absl::StatusOr<Selection> selection = ParseSelection(config.selection);
  if (!selection.ok()) return selection.status();
  absl::StatusOr<PairingKind> pairing = ParsePairingKind(config.pairing);
  if (!pairing.ok()) return pairing.status();
  trainer->loss_options_.distance = *distance;
  trainer->loss_options_.selection = *selection;
  trainer->loss_options_.temperature = config.selection_temperature;
  trainer->loss_options_.margin = config.selection_margin;
  trainer->pairing_ = *pairing;

  // Views and what the features are measured on; not only once it is their
  // turn.
  const int64_t side = EvaluationSide(*dataset->train, config.crop_size);
  const ImageSize size = dataset->train->fixed_size();
  absl::Status sizes = trainer->method_->backbone().CheckImageSize(
      config.crop_size, config.crop_size);
  sizes.Update(trainer->method_->backbone().CheckImageSize(
      side > 0 ? side : size.height, side > 0 ? side : size.width));
  if (!sizes.ok()) return sizes;

  LoaderOptions loader_options;
  loader_options.batch_size = config.batch_size;
  loader_options.part = world->rank();
  loader_options.parts = world->size();
  loader_options.views = config.views == "four" ? 4 : 2;
  loader_options.local_views = static_cast<int>(config.local_crops);
  loader_options.local_augment = LocalAugmentation(config, dataset->stats);
  loader_options.seed = config.seed;
  loader_options.threads = config.loader_threads;
  absl::StatusOr<std::unique_ptr<ViewSource>> views =
      MakeViews(config, *dataset, loader_options, device, damaged);
  if (!views.ok()) return views.status();
  trainer->views_ = *std::move(views);
  if (device.is_cuda()) trainer->PrepareGpu();

  const int64_t batches = trainer->batches_per_epoch();
  trainer->schedule_.peak_lr = config.base_lr * config.batch_size / 256;
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
  if (!config_.cuda_graph || world_.size() > 1 ||
      pairing_ == PairingKind::kNearest) {
    return;
  }
  if (std::unique_ptr<Recorder> recorder = MakeGpuRecorder()) {
    recorded_ = std::make_unique<RecordedSteps>(method_.get(), optimizer_.get(),
                                                std::move(recorder));
  }
}

double Trainer::Rate(int64_t step) const {
  return LearningRate(schedule_, step);
}

absl::Status Trainer::Stopped() const {
  return absl::CancelledError(
      absl::StrCat("stopped after step ", state_.step,
                   "; everything is saved. To continue, "
                   "start the same program with\n  --resume --output_dir=",
                   config_.output_dir));
}

absl::Status Trainer::Confer(const absl::Status& mine) {
  if (world_.size() == 1) return mine;
  const int signal = Interrupted();
  std::vector<double> told = {signal == SIGINT ? 1.0 : 0.0,
                              signal != SIGINT && signal != 0 ? 1.0 : 0.0,
                              static_cast<double>(shared_damage_.News())};
  if (absl::Status s = world_.AgreeAndSum(mine, &told); !s.ok()) return s;
  if (told[0] > 0 || told[1] > 0) {
    NoteInterrupt(told[1] > 0 ? SIGTERM : SIGINT);
    told_to_stop_ = true;
  }
  if (told[2] == 0) return absl::OkStatus();
  return world_.Agree(shared_damage_.Exchange(world_));
}

absl::Status Trainer::OfRoot(const absl::Status& status) {
  if (world_.size() == 1) return status;
  of_root_.Update(status);
  return absl::OkStatus();
}

bool Trainer::MustStop() const {
  return world_.size() == 1 ? Interrupted() != 0 : told_to_stop_;
}

bool Trainer::OutOfSteps() const {
  return config_.max_steps > 0 && state_.step >= config_.max_steps;
}

absl::Status Trainer::Train(const TrainerHooks& hooks) {
  absl::StatusOr<MetricsLog> log = absl::CancelledError("not the root's");
  if (world_.root()) {
    log = MetricsLog::Open(absl::StrCat(config_.output_dir, "/", kMetricsFile),
                           state_.history.size());
    if (absl::Status s = OfRoot(log.status()); !s.ok()) return s;
  }
  // Of a run that died between saving and keeping.
  if (absl::Status s = OfRoot(KeepEpoch()); !s.ok()) return s;
  while (state_.epoch < config_.epochs && !OutOfSteps()) {
    if (absl::Status s = TrainEpoch(hooks); !s.ok()) return s;
    if (state_.totals.batches == 0) break;
    const bool whole = state_.batch == views_->batches_per_epoch();
    // The rest of an epoch that max_steps cut short can be trained later, from
    // a checkpoint that does not count it as finished.
    if (!whole) {
      if (absl::Status s = OfRoot(Save()); !s.ok()) return s;
    }
    if (absl::Status s = Confer(of_root_); !s.ok()) return s;
    absl::StatusOr<EpochRecord> record = Evaluate();
    // An evaluation can take longer than the grace that a machine about to be
    // taken away gives. The epoch is saved; the evaluation will be repeated.
    if (absl::IsCancelled(record.status())) {
      if (absl::Status s = OfRoot(Save()); !s.ok()) return s;
      const absl::Status s = Confer(of_root_);
      return s.ok() ? Stopped() : s;
    }
    if (!record.ok()) return record.status();
    state_.history.push_back(*record);
    if (world_.root()) {
      if (absl::Status s = OfRoot(log->Append(ToMetrics(*record))); !s.ok()) {
        return s;
      }
    }
    if (hooks.on_epoch_end) hooks.on_epoch_end(*record);
    if (!whole) break;
    ++state_.epoch;
    state_.batch = 0;
    state_.totals = EpochTotals();
    if (absl::Status s = OfRoot(SaveMeanwhile()); !s.ok()) return s;
    if (absl::Status s = OfRoot(KeepEpoch()); !s.ok()) return s;
    if (absl::Status s = Confer(of_root_); !s.ok()) return s;
    if (MustStop()) {
      if (absl::Status s = OfRoot(Saved()); !s.ok()) return s;
      const absl::Status s = Confer(of_root_);
      return s.ok() ? Stopped() : s;
    }
  }
  if (absl::Status s = OfRoot(Saved()); !s.ok()) return s;
  return Confer(of_root_);
}

absl::Status Trainer::TrainEpoch(const TrainerHooks& hooks) {
  std::optional<c10::StreamGuard> on_stream;
  if (stream_) {
    // Behind what the GPU has been asked for so far on another stream. What
    // follows the epoch need not wait for this one: the results have been read.
    c10::Event before(device_.type());
    before.record(
        c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
    before.block(*stream_);
    on_stream.emplace(*stream_);
  }
  method_->SetTraining(true);
  collapse_watch_ = CollapseWatch(views_->batches_per_epoch());
  views_->StartEpoch(state_.epoch, state_.batch);
  if (hooks.on_epoch_start)
    hooks.on_epoch_start(state_.epoch + 1, state_.batch);
  BatchViews batch;
  absl::Time start = absl::Now();
  while (!OutOfSteps()) {
    absl::StatusOr<bool> more = views_->Next(&batch);
    if (absl::Status s = Confer(of_root_.ok() ? more.status() : of_root_);
        !s.ok()) {
      return s;
    }
    if (!*more) break;
    if (absl::Status s = TrainStep(batch, hooks); !s.ok()) return s;
    const absl::Time now = absl::Now();
    state_.totals.seconds += absl::ToDoubleSeconds(now - start);
    start = now;
    if (hooks.on_step && state_.totals.batches > 0) {
      hooks.on_step(state_.batch, state_.totals.loss / state_.totals.batches);
    }
    const bool save_now =
        config_.checkpoint_minutes > 0 &&
        now - last_save_ > absl::Minutes(config_.checkpoint_minutes);
    if (save_now || MustStop()) {
      if (absl::Status s = AddResults(results_.TakeAll(), hooks); !s.ok()) {
        return s;
      }
      if (absl::Status s = OfRoot(Save()); !s.ok()) return s;
      if (MustStop()) {
        const absl::Status s = Confer(of_root_);
        return s.ok() ? Stopped() : s;
      }
      start = absl::Now();
    }
  }
  const absl::Status status = AddResults(results_.TakeAll(), hooks);
  state_.totals.seconds += absl::ToDoubleSeconds(absl::Now() - start);
  return status;
}

absl::Status Trainer::TrainStep(const BatchViews& batch,
                                const TrainerHooks& hooks) {
  StepInput input;
  input.views = batch.views;
  input.local_views = batch.local_views;
  input.loss = loss_options_;
  input.loss.seed = StepSeed(config_.seed, state_.step);
  int64_t images = batch.images;
  if (config_.pairing_scope == "world") {
    images = config_.batch_size;
  } else if (world_.size() > 1) {
    // Each rank draws its own pairs.
    input.loss.seed = StepSeed(input.loss.seed, world_.rank());
  }
  input.progress = static_cast<double>(state_.step) / schedule_.total_steps;
  if (pairing_ == PairingKind::kNearest) {
    input.nearest_candidates = config_.pairing_candidates;
  } else {
    absl::StatusOr<std::vector<int64_t>> pairing =
        MakePairing(pairing_, images, input.loss.seed);
    if (!pairing.ok()) return pairing.status();
    input.pairing = *std::move(pairing);
    if (device_.is_cuda() && world_.size() == 1) {
      absl::StatusOr<PairingTensors> tensors =
          MakePairingTensors(input.pairing, input.loss.seed, device_);
      if (!tensors.ok()) return tensors.status();
      input.tensors = *std::move(tensors);
    }
  }
  const Rates rates = {Rate(state_.step), schedule_.peak_lr};
  const bool recorded = recorded_ != nullptr && recorded_->why_not().empty();
  absl::StatusOr<StepResult> result =
      recorded_ != nullptr ? recorded_->Run(input, rates)
                           : RunStep(*method_, *optimizer_, input, rates);
  if (recorded && !recorded_->why_not().empty() && hooks.on_warning) {
    hooks.on_warning(absl::StrCat(recorded_->why_not(),
                                  ": training goes on without, more slowly"));
  }
  if (absl::IsUnavailable(result.status()) ||
      absl::IsAborted(result.status())) {
    return result.status();
  }
  if (!result.ok()) {
    return BrokeDown(state_.step + 1, result.status().message());
  }
  ++state_.step;
  ++state_.batch;
  results_.Put(*std::move(result));
  return AddResults(results_.Take(), hooks);
}

absl::Status Trainer::AddResults(const std::vector<StepResult>& results,
                                 const TrainerHooks& hooks) {
  // Steps that have been taken, but for those still in the queue.
  const int64_t read = state_.step - results_.size();
  int64_t step = read - static_cast<int64_t>(results.size());
  for (const StepResult& result : results) {
    ++step;
    if (!std::isfinite(result.loss)) {
      return BrokeDown(step, "the loss is not finite");
    }
    ++state_.totals.batches;
    state_.totals.loss += result.loss;
    state_.totals.feature_std += result.feature_std;
    for (size_t k = 0; k < result.pair_count.size(); ++k) {
      state_.totals.pair_count[k] += result.pair_count[k];
    }
    const absl::Status status = WatchCollapse(result.feature_std, step, hooks);
    // The same on all ranks: one of them says so.
    if (!status.ok()) return world_.Agree(status);
  }
  return absl::OkStatus();
}

absl::Status Trainer::BrokeDown(int64_t step, absl::string_view why) const {
  return absl::OutOfRangeError(absl::StrCat(
      "training broke down at step ", step, " (epoch ", state_.epoch + 1, "): ",
      why, ". A learning rate that is too high does this: try --base_lr=",
      config_.base_lr / 3, ". The checkpoint in ", config_.output_dir,
      " is from before it."));
}

absl::Status Trainer::WatchCollapse(double feature_std, int64_t step,
                                    const TrainerHooks& hooks) {
  const std::optional<double> spread = collapse_watch_.Add(feature_std);
  if (!spread.has_value() || *spread >= config_.collapse_threshold) {
    return absl::OkStatus();
  }
  const std::string collapsed = absl::StrCat(
      "the features collapsed by step ", step, " (epoch ", state_.epoch + 1,
      "): all images get nearly the same one (feature_std ", *spread,
      "; 1 = spread, 0 = collapsed). Training without a predictor does this, "
      "and so does too high a learning rate");
  if (config_.stop_on_collapse) {
    return absl::OutOfRangeError(
        absl::StrCat(collapsed, ": try --base_lr=", config_.base_lr / 3,
                     ", or go on regardless with --nostop_on_collapse."));
  }
  if (!warned_of_collapse_ && hooks.on_warning) hooks.on_warning(collapsed);
  warned_of_collapse_ = true;
  return absl::OkStatus();
}

EvaluationOptions Trainer::evaluation_options() const {
  EvaluationOptions options;
  options.side = EvaluationSide(*dataset_.train, config_.crop_size);
  options.stats = dataset_.stats;
  options.threads = at::get_num_threads();
  return options;
}

absl::StatusOr<Features> Trainer::EvenlySpacedFeatures(
    const ImageSource& source, int64_t count) {
  // What watches training is computed as training is. On a GPU k-NN in float32
  // and the checkpoint took three times as long as the epoch (docs/gpu.md).
  const Autocast autocast(method_->bfloat16(), device_);
  return FeaturesOfRanks(world_, source, EvenlySpaced(source.size(), count),
                         [&](absl::Span<const int64_t> indices) {
                           return BackboneFeatures(
                               method_->backbone(), source, indices,
                               evaluation_options(), device_, &damaged_);
                         });
}

absl::StatusOr<EpochRecord> Trainer::Evaluate() {
  const EpochTotals& totals = state_.totals;
  EpochRecord record;
  record.epoch = state_.epoch + 1;
  record.step = state_.step;
  record.loss = totals.loss / totals.batches;
  record.feature_std = totals.feature_std / totals.batches;
  const double pairs = totals.batches * config_.batch_size;
  for (size_t k = 0; k < record.pair_share.size(); ++k) {
    record.pair_share[k] = totals.pair_count[k] / pairs;
  }
  record.lr = Rate(state_.step - 1);
  record.images_per_second =
      totals.batches * config_.batch_size / totals.seconds;
  record.seconds = totals.seconds;

  const bool labelled = dataset_.labelled();
  absl::StatusOr<Features> queries = EvenlySpacedFeatures(
      labelled ? *dataset_.test : *dataset_.train,
      labelled || config_.knn_queries > 0 ? config_.knn_queries
                                          : kUnlabelledQueries);
  if (!queries.ok()) return queries.status();
  const bool with_knn = labelled && config_.knn_every > 0 &&
                        record.epoch % config_.knn_every == 0;
  absl::StatusOr<Features> bank = Features();
  if (with_knn) {
    bank = EvenlySpacedFeatures(*dataset_.train, config_.knn_bank);
    if (!bank.ok()) return bank.status();
  }
  if (world_.root()) {
    absl::Status scored =
        ScoreEpoch(*queries, with_knn ? &*bank : nullptr, &record);
    if (absl::Status s = OfRoot(scored); !s.ok()) return s;
  }
  // Scoring takes the root alone some time.
  if (absl::Status s = world_.WaitForRoot(); !s.ok()) return s;
  if (absl::Status s = Confer(of_root_); !s.ok()) return s;
  return record;
}

absl::Status Trainer::ScoreEpoch(const Features& queries, const Features* bank,
                                 EpochRecord* record) {
  absl::StatusOr<double> rank = EffectiveRank(
      Rows<const float>(queries.rows.const_data_ptr<float>(),
                        queries.rows.size(0), queries.rows.size(1)));
  if (!rank.ok()) return rank.status();
  record->effective_rank = *rank;
  if (bank == nullptr) return absl::OkStatus();
  // One matrix product a block of queries, where the network is.
  absl::StatusOr<double> top1 = KnnTop1(
      bank->rows.to(device_), bank->labels.to(device_),
      queries.rows.to(device_), queries.labels.to(device_),
      dataset_.classes.size(), {config_.knn_k, config_.knn_temperature});
  if (!top1.ok()) return top1.status();
  record->knn_top1 = *top1;
  return absl::OkStatus();
}

absl::Status Trainer::Save() {
  if (absl::Status s = SaveMeanwhile(); !s.ok()) return s;
  return Saved();
}

absl::Status Trainer::SaveMeanwhile() {
  if (!world_.root()) return absl::OkStatus();
  last_save_ = absl::Now();
  state_.damaged = shared_damage_.Records();
  std::string pickled = PickleCheckpoint(
      {StateToJson(state_, config_), method_->State(), optimizer_->State()});
  if (absl::Status s = Saved(); !s.ok()) return s;
  saving_ =
      std::async(std::launch::async, [this, pickled = std::move(pickled)] {
        return SavePickled(config_.output_dir, pickled, config_.keep);
      });
  return absl::OkStatus();
}

absl::Status Trainer::Saved() {
  return saving_.valid() ? saving_.get() : absl::OkStatus();
}

absl::Status Trainer::KeepEpoch() {
  if (!world_.root() || config_.keep_every == 0 || state_.epoch == 0 ||
      state_.batch != 0 || state_.epoch % config_.keep_every != 0) {
    return absl::OkStatus();
  }
  if (absl::Status s = Saved(); !s.ok()) return s;
  return KeepAs(LastCheckpointPath(config_.output_dir),
                EpochCheckpointPath(config_.output_dir, state_.epoch));
}

absl::Status Trainer::Restore(const RunState& state,
                              const Checkpoint* checkpoint) {
  absl::Status copied;
  if (checkpoint != nullptr) {
    copied = CopyTensors("model", checkpoint->model, method_->State());
    if (copied.ok()) {
      copied =
          CopyTensors("optimizer", checkpoint->optimizer, optimizer_->State());
    }
  }
  if (absl::Status s = world_.Agree(copied); !s.ok()) return s;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : method_->State()) tensors.push_back(tensor);
  for (const auto& [name, tensor] : optimizer_->State()) {
    tensors.push_back(tensor);
  }
  if (absl::Status s = world_.CopyFromRoot(tensors); !s.ok()) return s;
  state_ = state;
  state_.ranks = world_.size();
  return world_.Agree(shared_damage_.Restore(state.damaged));
}

}  // namespace gsg
