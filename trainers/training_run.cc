#include "trainers/training_run.h"

#include <ATen/Context.h>
#include <c10/core/Device.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "trainers/base/format.h"
#include "trainers/base/interrupt.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/fit.h"
#include "trainers/console/epoch_table.h"
#include "trainers/console/progress.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/hold_out.h"
#include "trainers/image/image_source.h"
#include "trainers/image/normalize.h"
#include "trainers/methods/make_method.h"
#include "trainers/methods/method.h"
#include "trainers/report/run_report.h"
#include "trainers/report/verdict.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/image_record.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"
#include "trainers/run_display.h"
#include "trainers/run_length.h"
#include "trainers/run_scores.h"
#include "trainers/run_start.h"
#include "trainers/train/trainer.h"
#include "trainers/weights/backbone_weights.h"

namespace gsg {
namespace {

// This rank's own.
absl::StatusOr<c10::Device> DeviceOfRank(const std::string& name,
                                         World& world) {
  const std::optional<int> number = world.placement().local_rank;
  absl::StatusOr<c10::Device> device = ChooseDevice(name, number);
  if (device.ok() && device->is_cuda() && world.size() > 1 &&
      !number.has_value()) {
    device = absl::InvalidArgumentError(
        "several processes on GPUs need LOCAL_RANK, the number of each on its "
        "machine (docs/distributed.md)");
  }
  GSG_RETURN_IF_ERROR(world.Agree(device.status()));
  GSG_RETURN_IF_ERROR(world.UseDevice(*device));
  return device;
}

// The images as `config` wants them, unless they are in `start` already.
absl::StatusOr<Dataset> ReadImages(const Config& config, RunStart* start) {
  absl::StatusOr<Dataset> dataset =
      start->dataset.has_value()
          ? *std::move(start->dataset)
          : LoadDataset(config.dataset,
                        DataPlace{config.data_dir, config.data_list},
                        static_cast<int>(config.channels));
  if (!dataset.ok()) return dataset;
  if (config.validation > 0) {
    GSG_RETURN_IF_ERROR(HoldOut(config.validation, &*dataset));
  }
  GSG_RETURN_IF_ERROR(Normalize(config.normalize, &*dataset));
  if (config.keep_best != "none" && !dataset->labeled()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--keep_best=", config.keep_best,
                     ": there are no labels to measure it with; leave it out"));
  }
  return dataset;
}

// What a state says of images that are others now: which of them are damaged,
// scores of theirs, and how far an epoch of them had come. The learning rate
// goes on where the finished epochs are.
void ForgetImages(int64_t batches_per_epoch, RunState* state) {
  state->damaged.clear();
  state->raw_pixels = state->untrained = Scores();
  state->totals = EpochTotals();
  state->batch = 0;
  state->step = state->epoch * batches_per_epoch;
}

class TrainingRun {
 public:
  TrainingRun(RunStart start, Dataset dataset, c10::Device device, World* world)
      : start_(std::move(start)),
        dataset_(std::move(dataset)),
        device_(device),
        world_(*world),
        damaged_(config().max_damaged) {}

  // Everything before the first step. `launched`: when the program was started.
  absl::Status Begin(absl::Time launched);
  absl::Status TrainAndFinish();

 private:
  const Config& config() const { return start_.point.config; }
  // The same each time.
  absl::StatusOr<std::unique_ptr<Trainer>> MakeTrainer();
  absl::Status GoOn();
  absl::Status StartAnew(absl::Time launched);
  absl::Status FixLength(absl::Time launched, RunCost cost);
  absl::Status Finish(DamageWarnings& warnings);

  RunStart start_;
  const Dataset dataset_;
  const c10::Device device_;
  World& world_;
  DamagedImages damaged_;
  size_t warned_ = 0;  // of images that are damaged, before it was resumed
  BackboneWeights loaded_;
  std::unique_ptr<Trainer> trainer_;
};

absl::StatusOr<std::unique_ptr<Trainer>> TrainingRun::MakeTrainer() {
  const auto load_weights = [this](Backbone& backbone) -> absl::Status {
    if (!start_.weights.has_value()) return absl::OkStatus();
    GSG_ASSIGN_OR_RETURN(loaded_, LoadBackboneWeights(start_.weights->tensors,
                                                      config().init, backbone));
    return absl::OkStatus();
  };
  at::manual_seed(config().seed);
  absl::StatusOr<std::unique_ptr<Method>> method =
      MakeMethod(config(), dataset_.train->channels(), device_, load_weights);
  GSG_RETURN_IF_ERROR(world_.Agree(method.status()));
  absl::StatusOr<std::unique_ptr<Trainer>> made = Trainer::Create(
      config(), &dataset_, *std::move(method), device_, &damaged_, &world_);
  GSG_RETURN_IF_ERROR(world_.Agree(made.status()));
  return made;
}

absl::Status TrainingRun::Begin(absl::Time launched) {
  GSG_ASSIGN_OR_RETURN(trainer_, MakeTrainer());
  // Nothing has been written so far; from here on the folder is this run's.
  GSG_RETURN_IF_ERROR(world_.Agree(
      world_.root() ? BeginFolder(config(), &start_.lock) : absl::OkStatus()));
  absl::PrintF("%s", start_.fitted);
  Announce(config(), dataset_, device_, world_);
  if (loaded_.tensors > 0) AnnounceWeights(config(), loaded_);
  const absl::Status begun = start_.resumes ? GoOn() : StartAnew(launched);
  // Once its images are repaired the same command is to do.
  if (absl::IsDataLoss(begun) && world_.root()) AbandonFolder(config());
  GSG_RETURN_IF_ERROR(begun);
  start_.weights.reset();
  return absl::OkStatus();
}

absl::Status TrainingRun::GoOn() {
  ResumePoint& point = start_.point;
  const ImageRecord images = RecordOf(dataset_);
  const std::string warning = OtherImagesWarning(point.state.images, images);
  if (!warning.empty()) {
    if (world_.root()) absl::FPrintF(stderr, "warning: %s\n", warning);
    ForgetImages(trainer_->batches_per_epoch(), &point.state);
  }
  point.state.images = images;
  GSG_RETURN_IF_ERROR(trainer_->Restore(
      point.state, world_.root() ? &*point.checkpoint : nullptr));
  point.checkpoint.reset();
  warned_ = damaged_.list().size();
  absl::PrintF("Continuing after %d epoch%s and %d batch%s\n",
               point.state.epoch, point.state.epoch == 1 ? "" : "s",
               point.state.batch, point.state.batch == 1 ? "" : "es");
  return absl::OkStatus();
}

absl::Status TrainingRun::StartAnew(absl::Time launched) {
  trainer_->state().images = RecordOf(dataset_);
  GSG_ASSIGN_OR_RETURN(const std::string warning, trainer_->ResourceWarning());
  if (!warning.empty()) absl::FPrintF(stderr, "warning: %s\n", warning);
  const absl::Time start_of_baselines = absl::Now();
  GSG_RETURN_IF_ERROR(
      MeasureBaselines(*trainer_, dataset_, config(), damaged_, world_));
  if (start_.rehearses) {
    const RunState baselines = trainer_->state();
    RunCost cost;
    cost.after = absl::Now() - start_of_baselines;
    GSG_RETURN_IF_ERROR(FixLength(launched, cost));
    // It has taken steps.
    trainer_.reset();
    GSG_ASSIGN_OR_RETURN(trainer_, MakeTrainer());
    trainer_->state() = baselines;
  }
  return trainer_->ranks().ReportRootOnly(trainer_->Save());
}

// Says how long the run will take, and with --minutes first puts the epochs
// that take as long in the configuration and in the run's folder. trainer_
// takes steps for that. `cost` has what is known already.
absl::Status TrainingRun::FixLength(absl::Time launched, RunCost cost) {
  GSG_ASSIGN_OR_RETURN(cost.epoch, trainer_->Rehearse());
  cost.batches_per_epoch = trainer_->batches_per_epoch();
  cost.before = absl::Now() - launched;
  Config& config = start_.point.config;
  if (config.minutes > 0) {
    const absl::Duration limit = absl::Minutes(config.minutes);
    GSG_ASSIGN_OR_RETURN(
        const std::string epochs,
        world_.FromRoot(absl::StrCat(EpochsWithin(limit, cost))));
    SetEpochs(std::stoll(epochs), &config);
    config.minutes = 0;
    GSG_RETURN_IF_ERROR(trainer_->ranks().ReportRootOnly(
        world_.root() ? WriteConfig(config) : absl::OkStatus()));
  }
  absl::PrintF("%s\n", LengthText(config.epochs, cost));
  return absl::OkStatus();
}

absl::Status TrainingRun::TrainAndFinish() {
  Progress progress(
      StderrConsole(),
      {config().epochs, trainer_->batches_per_epoch(), config().batch_size});
  DamageWarnings warnings(&damaged_, warned_, &progress);
  TrainerHooks hooks;
  if (world_.root()) {
    warnings.ShowNew();
    hooks = ShowOn(progress, warnings, absl::Now(), world_.size() == 1);
  }
  const bool terminal = StderrConsole().width() > 0;
  if (!terminal) absl::PrintF("First step ...\n");
  absl::PrintF("%s\n", EpochHeader());
  std::fflush(stdout);
  // Before and after, an interrupt ends the program at once: nothing is lost.
  CatchInterrupts();
  // With several processes each gets the signal, and they end with one message.
  if (world_.size() == 1) {
    SetInterruptMessage("\nstopping after this step and saving\n");
    progress.ShowFirstStep();
  }
  GSG_RETURN_IF_ERROR(trainer_->Train(hooks));
  ReleaseInterrupts();
  progress.Clear();
  return Finish(warnings);
}

// What follows the last epoch: scores, result.json, report.html and what the
// terminal says of them.
absl::Status TrainingRun::Finish(DamageWarnings& warnings) {
  absl::PrintF(dataset_.labeled() ? "Evaluating on all images ...\n"
                                  : "Drawing the report ...\n");
  std::fflush(stdout);

  GSG_ASSIGN_OR_RETURN(const FeaturePair features,
                       NetworkFeatures(*trainer_, dataset_, damaged_, world_));
  GSG_RETURN_IF_ERROR(trainer_->ranks().Agree());
  // What is left to do is the root's.
  if (!world_.root()) return absl::OkStatus();
  GSG_ASSIGN_OR_RETURN(
      const Scores trained,
      TrainedScores(*trainer_, features, dataset_, config(), damaged_));
  const RunState& state = trainer_->state();
  GSG_RETURN_IF_ERROR(
      WriteResult(config(), dataset_, state, trained, features, damaged_));
  if (dataset_.labeled()) {
    absl::PrintF("\n%s", ScoreTable(config(), state, trained));
  }
  const std::string verdict =
      Verdict(config(), state, trained,
              dataset_.labeled() ? dataset_.classes.size() : 0);
  if (!verdict.empty()) absl::PrintF("\n%s\n", Wrapped(verdict, 79));
  warnings.ShowSum();
  absl::PrintF("\nReport: %s/%s\n%s", config().output_dir, kReportFile,
               NextCommands(config(), state.epoch, dataset_.labeled()));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunTraining(const CommandLine& command_line, World& world,
                         std::optional<Config>* known) {
  const absl::Time launched = absl::Now();
  GSG_ASSIGN_OR_RETURN(RunStart start, StartOfRanks(command_line, world));
  const Config config = start.point.config;
  *known = config;
  if (!start.point.warning.empty()) {
    absl::FPrintF(stderr, "warning: %s\n", start.point.warning);
  }
  GSG_ASSIGN_OR_RETURN(const c10::Device device,
                       DeviceOfRank(config.device, world));
  absl::StatusOr<Dataset> dataset = ReadImages(config, &start);
  GSG_RETURN_IF_ERROR(world.Agree(dataset.status()));
  const CpuThreads threads(config.threads,
                           world.placement().local_size.value_or(1));
  TrainingRun run(std::move(start), *std::move(dataset), device, &world);
  GSG_RETURN_IF_ERROR(run.Begin(launched));
  return run.TrainAndFinish();
}

}  // namespace gsg
