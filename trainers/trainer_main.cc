#include "trainers/trainer_main.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "trainers/base/cpus.h"
#include "trainers/base/format.h"
#include "trainers/base/interrupt.h"
#include "trainers/base/sealed_file.h"
#include "trainers/base/wait_policy.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/fit.h"
#include "trainers/config/json.h"
#include "trainers/config/paths.h"
#include "trainers/console/epoch_table.h"
#include "trainers/console/progress.h"
#include "trainers/distributed/environment.h"
#include "trainers/distributed/launcher.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/scores.h"
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
#include "trainers/run/resume.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_lock.h"
#include "trainers/run/run_state.h"
#include "trainers/run_length.h"
#include "trainers/run_scores.h"
#include "trainers/train/trainer.h"
#include "trainers/weights/backbone_weights.h"
#include "trainers/weights/weight_file.h"

namespace gsg {
namespace {

// Its data comes with the program.
constexpr char kDefaultRecipe[] = "fashion_mnist";

// Where the run begins: at its start, or where a saved one stopped, whose
// folder is locked before it is read.
absl::StatusOr<ResumePoint> StartingPoint(const CommandLine& command_line,
                                          RunLock* lock) {
  if (command_line.config.resume) {
    GSG_ASSIGN_OR_RETURN(*lock, RunLock::Take(command_line.config.output_dir));
    return FindResumePoint(command_line);
  }
  ResumePoint point;
  point.config = command_line.config;
  if (point.config.output_dir.empty()) {
    point.config.output_dir =
        DefaultOutputDir(point.config, absl::Now(), absl::LocalTimeZone());
  }
  return point;
}

// Where all ranks begin.
struct Start {
  RunLock lock;       // the root's
  ResumePoint point;  // its checkpoint is the root's alone
  bool resumes = false;
  std::string fitted;              // what --fit decided, on the root
  std::optional<Dataset> dataset;  // read for that
  // Steps are taken to see how long the run will be, before it starts.
  bool rehearses = false;
  // Of --init, unless the run resumes; the root's, from which the others get
  // their networks.
  std::optional<WeightFile> weights;
};

// Reads the file of --init, and notes in `config` which it is.
absl::StatusOr<WeightFile> ReadInit(Config& config) {
  GSG_ASSIGN_OR_RETURN(WeightFile file, ReadWeightFile(config.init));
  if (!config.init_sha256.empty() && config.init_sha256 != file.sha256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--init=", config.init, " is another file than that of ",
                     "--init_sha256: its SHA-256 is ", file.sha256));
  }
  config.init_sha256 = file.sha256;
  return file;
}

// What a run that does not resume needs before it starts: values that fit the
// images, weights to start from.
absl::Status PrepareStart(const CommandLine& command_line,
                          const Placement& placement, Start* start) {
  Config& config = start->point.config;
  if (config.fit) {
    GSG_ASSIGN_OR_RETURN(const c10::Device device,
                         ChooseDevice(config.device, placement.local_rank));
    const int cpus = UsableCpus() / placement.local_size.value_or(1);
    GSG_ASSIGN_OR_RETURN(start->fitted,
                         FitRun(command_line.given, device.is_cuda(),
                                std::max(1, cpus), &config, &start->dataset));
  }
  if (!config.init.empty()) {
    GSG_ASSIGN_OR_RETURN(start->weights, ReadInit(config));
  }
  return absl::OkStatus();
}

// As the root's command line and folder have it: the others need not see the
// folder, and what their own command lines say does not count.
absl::StatusOr<Start> StartOfRanks(const CommandLine& command_line,
                                   World& world) {
  Start start;
  absl::StatusOr<std::string> text = std::string();
  if (world.root()) {
    absl::StatusOr<ResumePoint> point =
        StartingPoint(command_line, &start.lock);
    absl::Status ready = point.status();
    if (point.ok()) {
      start.point = *std::move(point);
      start.resumes = start.point.checkpoint.has_value();
      if (!start.resumes) {
        ready = PrepareStart(command_line, world.placement(), &start);
      }
    }
    if (ready.ok()) {
      start.rehearses = !start.resumes && (!start.fitted.empty() ||
                                           start.point.config.minutes > 0);
      const int64_t ranks = start.point.state.ranks;
      if (start.resumes && ranks != world.size()) {
        absl::StrAppend(&start.point.warning, "the run had ", ranks,
                        ranks == 1 ? " process" : " processes", " and now has ",
                        world.size(),
                        ": it goes on, but not bit for bit as it would have "
                        "been");
      }
      if (world.size() > 1) {
        text =
            absl::StrCat(start.resumes ? "+" : "-", start.rehearses ? "+" : "-",
                         StateToJson(start.point.state, start.point.config));
      }
    } else {
      text = ready;
    }
  }
  text = world.FromRoot(text);
  if (!text.ok()) return text.status();
  if (world.root()) return start;
  GSG_ASSIGN_OR_RETURN(SavedRun run, StateFromJson(text->substr(2)));
  start.point.config = std::move(run.config);
  start.point.state = std::move(run.state);
  start.resumes = text->at(0) == '+';
  start.rehearses = text->at(1) == '+';
  return start;
}

// Warns of damaged images as they are found, but for the first `warned`.
class DamageWarnings {
 public:
  DamageWarnings(const DamagedImages* damaged, size_t warned,
                 Progress* progress)
      : damaged_(*damaged), progress_(*progress), shown_(warned) {}

  void ShowNew() {
    for (; shown_ < damaged_.list().size(); ++shown_) {
      const DamagedImage& image = damaged_.list()[shown_];
      progress_.Clear();
      absl::FPrintF(stderr, "warning: %s is left out: %s\n", image.name,
                    image.reason);
    }
  }

 private:
  const DamagedImages& damaged_;
  Progress& progress_;
  size_t shown_;
};

TrainerHooks ShowOn(Progress& progress, DamageWarnings& warnings,
                    absl::Time start, bool alone) {
  TrainerHooks hooks;
  hooks.on_epoch_start = [&](int64_t epoch, int64_t batches_done) {
    progress.StartEpoch(epoch, batches_done);
  };
  hooks.on_step = [&, alone](int64_t batches_done, double loss) {
    warnings.ShowNew();
    progress.Update(batches_done, [loss] { return loss; });
    if (!alone) return;
    SetInterruptMessage(
        absl::StrCat("\nstopping after this step (about ",
                     HumanDuration(progress.per_step()),
                     ") and saving; a second Ctrl-C ends at once\n"));
  };
  hooks.on_epoch_end = [&, start](const EpochRecord& record) {
    progress.Clear();
    warnings.ShowNew();
    absl::PrintF("%s\n", EpochLine(record, absl::Now() - start));
    std::fflush(stdout);
  };
  hooks.on_warning = [&](const std::string& warning) {
    progress.Clear();
    absl::FPrintF(stderr, "warning: %s\n", warning);
  };
  return hooks;
}

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

absl::Status WriteConfig(const Config& config) {
  return WriteFileAtomically(absl::StrCat(config.output_dir, "/", kConfigFile),
                             ToJson(config));
}

// Makes the folder this run's.
absl::Status BeginFolder(const Config& config, RunLock* lock) {
  GSG_RETURN_IF_ERROR(MakeRunDirectory(config.output_dir));
  if (!config.resume) {
    GSG_ASSIGN_OR_RETURN(*lock, RunLock::Take(config.output_dir));
  }
  GSG_RETURN_IF_ERROR(PrepareRunDirectory(config));
  return WriteConfig(config);
}

// What was found in the file of --init.
void AnnounceWeights(const Config& config, const BackboneWeights& weights) {
  absl::PrintF(
      "Starting from %s: %d tensors%s%s%s\n", config.init, weights.tensors,
      weights.prefix.empty() ? ""
                             : absl::StrCat(" behind \"", weights.prefix, "\""),
      weights.heads.empty()
          ? ""
          : absl::StrCat(", without its head (", weights.heads.front(),
                         weights.heads.size() > 1 ? " and others)" : ")"),
      weights.resized.empty()
          ? ""
          : absl::StrCat(", position embeddings from ", weights.resized));
}

// The lines above the table.
void Announce(const Config& config, const Dataset& dataset, c10::Device device,
              const World& world) {
  absl::PrintF(
      "%s on %s, recipe %s: %s train and %s %s images%s, %s, %s%d CPU "
      "threads\nOutput: %s\n",
      config.method, config.dataset, config.recipe,
      GroupedNumber(dataset.train->size()),
      dataset.labeled() ? GroupedNumber(dataset.test->size()) : "no",
      config.validation > 0 ? "validation" : "test",
      dataset.labeled() ? "" : " (no labels)", device.str(),
      world.size() > 1 ? absl::StrCat(world.size(), " processes of ") : "",
      at::get_num_threads(), config.output_dir);
  for (const std::string& note : dataset.notes) {
    absl::PrintF("Note: %s\n", note);
  }
  std::fflush(stdout);
}

// What follows the last epoch: scores, result.json, report.html and what the
// terminal says of them.
absl::Status Finish(const Config& config, const Dataset& dataset,
                    Trainer& trainer, DamagedImages& damaged,
                    DamageWarnings& warnings, World& world) {
  absl::PrintF(dataset.labeled() ? "Evaluating on all images ...\n"
                                 : "Drawing the report ...\n");
  std::fflush(stdout);

  GSG_ASSIGN_OR_RETURN(const FeaturePair features,
                       NetworkFeatures(trainer, dataset, damaged, world));
  GSG_RETURN_IF_ERROR(trainer.ranks().Agree());
  // What is left to do is the root's.
  if (!world.root()) return absl::OkStatus();
  GSG_ASSIGN_OR_RETURN(
      const Scores trained,
      TrainedScores(trainer, features, dataset, config, damaged));
  GSG_RETURN_IF_ERROR(WriteResult(config, dataset, trainer.state(), trained,
                                  features, damaged));
  if (dataset.labeled()) {
    absl::PrintF("\n%s", ScoreTable(config, trainer.state(), trained));
  }
  const std::string verdict =
      Verdict(config, trainer.state(), trained,
              dataset.labeled() ? dataset.classes.size() : 0);
  if (!verdict.empty()) absl::PrintF("\n%s\n", Wrapped(verdict, 79));
  warnings.ShowNew();
  if (!damaged.list().empty()) {
    absl::FPrintF(stderr, "warning: %d damaged image%s left out\n",
                  damaged.list().size(),
                  damaged.list().size() == 1 ? " was" : "s were");
  }
  absl::PrintF("\nReport: %s/%s\n%s", config.output_dir, kReportFile,
               NextCommands(config, dataset.labeled()));
  return absl::OkStatus();
}

// Says how long the run will take, and with --minutes first puts the epochs
// that take as long in `config` and in the run's folder. `trainer` takes steps
// for that, and is not the one to train with. `cost` has what is known already.
absl::Status FixLength(Trainer& trainer, absl::Time launched, RunCost cost,
                       Config* config, World& world) {
  GSG_ASSIGN_OR_RETURN(cost.epoch, trainer.Rehearse());
  cost.batches_per_epoch = trainer.batches_per_epoch();
  cost.before = absl::Now() - launched;
  if (config->minutes > 0) {
    const absl::Duration limit = absl::Minutes(config->minutes);
    GSG_ASSIGN_OR_RETURN(
        const std::string epochs,
        world.FromRoot(absl::StrCat(EpochsWithin(limit, cost))));
    SetEpochs(std::stoll(epochs), config);
    config->minutes = 0;
    GSG_RETURN_IF_ERROR(trainer.ranks().ReportRootOnly(
        world.root() ? WriteConfig(*config) : absl::OkStatus()));
  }
  absl::PrintF("%s\n", LengthText(config->epochs, cost));
  return absl::OkStatus();
}

// `output_dir` is told where the run is as soon as that is known.
absl::Status Run(const CommandLine& command_line, World& world,
                 std::string* output_dir) {
  const absl::Time launched = absl::Now();
  GSG_ASSIGN_OR_RETURN(Start started, StartOfRanks(command_line, world));
  ResumePoint* start = &started.point;
  const Config& config = start->config;
  *output_dir = config.output_dir;
  if (!start->warning.empty()) {
    absl::FPrintF(stderr, "warning: %s\n", start->warning);
  }
  GSG_ASSIGN_OR_RETURN(c10::Device device, DeviceOfRank(config.device, world));
  absl::StatusOr<Dataset> dataset =
      started.dataset.has_value()
          ? *std::move(started.dataset)
          : LoadDataset(config.dataset,
                        DataPlace{config.data_dir, config.data_list},
                        static_cast<int>(config.channels));
  absl::Status readable = dataset.status();
  if (readable.ok() && config.validation > 0) {
    readable = HoldOut(config.validation, &*dataset);
  }
  if (readable.ok()) readable = Normalize(config.normalize, &*dataset);
  if (readable.ok() && config.keep_best != "none" && !dataset->labeled()) {
    readable = absl::InvalidArgumentError(
        absl::StrCat("--keep_best=", config.keep_best,
                     ": there are no labels to measure it with; leave it out"));
  }
  GSG_RETURN_IF_ERROR(world.Agree(readable));

  UseThreads(config.threads, world.placement().local_size.value_or(1));
  BackboneWeights loaded;
  const auto load_weights = [&](Backbone& backbone) -> absl::Status {
    if (!started.weights.has_value()) return absl::OkStatus();
    GSG_ASSIGN_OR_RETURN(loaded, LoadBackboneWeights(started.weights->tensors,
                                                     config.init, backbone));
    return absl::OkStatus();
  };
  DamagedImages damaged(config.max_damaged);
  // The same each time.
  const auto make_trainer = [&]() -> absl::StatusOr<std::unique_ptr<Trainer>> {
    at::manual_seed(config.seed);
    absl::StatusOr<std::unique_ptr<Method>> method =
        MakeMethod(config, dataset->train->channels(), device, load_weights);
    GSG_RETURN_IF_ERROR(world.Agree(method.status()));
    absl::StatusOr<std::unique_ptr<Trainer>> made = Trainer::Create(
        config, &*dataset, *std::move(method), device, &damaged, &world);
    GSG_RETURN_IF_ERROR(world.Agree(made.status()));
    return made;
  };
  GSG_ASSIGN_OR_RETURN(std::unique_ptr<Trainer> trainer, make_trainer());

  // Nothing has been written so far; from here on the folder is this run's.
  GSG_RETURN_IF_ERROR(world.Agree(
      world.root() ? BeginFolder(config, &started.lock) : absl::OkStatus()));
  absl::PrintF("%s", started.fitted);
  Announce(config, *dataset, device, world);
  if (loaded.tensors > 0) AnnounceWeights(config, loaded);

  size_t warned = 0;  // of images that are damaged, before it was resumed
  if (started.resumes) {
    GSG_RETURN_IF_ERROR(trainer->Restore(
        start->state, world.root() ? &*start->checkpoint : nullptr));
    start->checkpoint.reset();
    warned = damaged.list().size();
    absl::PrintF("Continuing after %d epochs and %d batches\n",
                 start->state.epoch, start->state.batch);
  } else {
    GSG_ASSIGN_OR_RETURN(const std::string warning, trainer->ResourceWarning());
    if (!warning.empty()) absl::FPrintF(stderr, "warning: %s\n", warning);
    const absl::Time start_of_baselines = absl::Now();
    GSG_RETURN_IF_ERROR(
        MeasureBaselines(*trainer, *dataset, config, damaged, world));
    if (started.rehearses) {
      const RunState baselines = trainer->state();
      RunCost cost;
      cost.after = absl::Now() - start_of_baselines;
      GSG_RETURN_IF_ERROR(
          FixLength(*trainer, launched, cost, &start->config, world));
      trainer.reset();
      GSG_ASSIGN_OR_RETURN(trainer, make_trainer());
      trainer->state() = baselines;
    }
    GSG_RETURN_IF_ERROR(trainer->ranks().ReportRootOnly(trainer->Save()));
  }
  started.weights.reset();

  Progress progress(
      StderrConsole(),
      {config.epochs, trainer->batches_per_epoch(), config.batch_size});
  DamageWarnings warnings(&damaged, warned, &progress);
  TrainerHooks hooks;
  if (world.root()) {
    warnings.ShowNew();
    hooks = ShowOn(progress, warnings, absl::Now(), world.size() == 1);
  }
  const bool terminal = StderrConsole().width() > 0;
  if (!terminal) absl::PrintF("First step ...\n");
  absl::PrintF("%s\n", EpochHeader());
  std::fflush(stdout);
  // Before and after, an interrupt ends the program at once: nothing is lost.
  CatchInterrupts();
  // With several processes each gets the signal, and they end with one message.
  if (world.size() == 1) {
    SetInterruptMessage("\nstopping after this step and saving\n");
    progress.ShowFirstStep();
  }
  GSG_RETURN_IF_ERROR(trainer->Train(hooks));
  ReleaseInterrupts();
  progress.Clear();
  return Finish(config, *dataset, *trainer, damaged, warnings, world);
}

std::string WayOn(const std::string& output_dir, const std::string& more) {
  return absl::StrCat(
      "To continue from the last checkpoint, start the same program with "
      "--resume --output_dir=",
      output_dir, more);
}

// Runs and says how it ended. Returns the exit code.
int Report(absl::string_view method, World& world,
           const CommandLine& command_line) {
  std::string output_dir;
  absl::Status status;
  try {
    status = Run(command_line, world, &output_dir);
  } catch (const std::exception& error) {
    // LibTorch's allocator says it in words.
    const bool memory =
        dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
        absl::StrContains(error.what(), "allocate memory") ||
        absl::StrContains(error.what(), "out of memory");
    if (!memory) throw;
    status = absl::ResourceExhaustedError("memory ran out");
  }
  if (absl::IsResourceExhausted(status) && world.size() == 1) {
    const Config& config = command_line.config;
    absl::FPrintF(stderr,
                  "%s: %s: use a --batch_size below %d, a smaller --crop_size, "
                  "or fewer --loader_threads\n",
                  method, status.message(), config.batch_size);
    return 1;
  }
  if (status.ok()) return 0;
  if (absl::IsCancelled(status)) {
    if (world.root()) absl::FPrintF(stderr, "%s\n", status.message());
    return 128 + Interrupted();
  }
  if (world.size() > 1 && absl::IsAborted(status)) return kOtherRankExitCode;
  if (world.size() > 1 && absl::IsUnavailable(status)) {
    if (world.SpeaksOfLoss()) {
      absl::FPrintF(stderr, "%s: %s. %s\n", method, status.message(),
                    WayOn(output_dir, ", in all processes"));
    }
    return kOtherRankExitCode;
  }
  absl::FPrintF(stderr, "%s: %s\n", method, status.message());
  return 1;
}

}  // namespace

int TrainerMain(absl::string_view method, int argc, const char* const* argv) {
  absl::StatusOr<CommandLine> command_line =
      ParseCommandLine(method, kDefaultRecipe, argc, argv);
  if (!command_line.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, command_line.status().message());
    return 2;
  }
  if (!command_line->print.empty()) {
    absl::PrintF("%s", command_line->print);
    return 0;
  }
  const absl::StatusOr<Placement> placement =
      ReadPlacement([](const char* name) { return std::getenv(name); });
  if (!placement.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, placement.status().message());
    return 2;
  }
  Config& config = command_line->config;
  if (config.threads != 1) SpinBriefly(argv);
  if (placement->launcher == 0 && config.nproc > 1) {
    if (placement->size > 1) {
      absl::FPrintF(stderr,
                    "%s: --nproc=%d: this is already one of %d processes, as "
                    "the environment has it (docs/distributed.md); leave "
                    "--nproc out\n",
                    method, config.nproc, placement->size);
      return 2;
    }
    std::vector<std::string> arguments(argv, argv + argc);
    if (config.output_dir.empty()) {
      // Here, to be able to say where it is.
      config.output_dir =
          DefaultOutputDir(config, absl::Now(), absl::LocalTimeZone());
      arguments.push_back(absl::StrCat("--output_dir=", config.output_dir));
    }
    return Launch(
        method, static_cast<int>(config.nproc), arguments,
        WayOn(config.output_dir, absl::StrCat(" --nproc=", config.nproc)));
  }
  absl::StatusOr<std::unique_ptr<World>> world =
      World::Join(*placement, absl::Seconds(config.dist_timeout));
  if (!world.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", method, world.status().message());
    return 1;
  }
  // The root speaks for all; of the others errors alone are heard.
  if (!(*world)->root() && std::freopen("/dev/null", "w", stdout) == nullptr) {
    std::fclose(stdout);
  }
  return Report(method, **world, *command_line);
}

}  // namespace gsg
