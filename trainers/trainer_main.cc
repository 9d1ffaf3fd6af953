#include "trainers/trainer_main.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/checkpoint/sealed_file.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/config/paths.h"
#include "trainers/console/epoch_table.h"
#include "trainers/console/format.h"
#include "trainers/console/progress.h"
#include "trainers/data/damaged_images.h"
#include "trainers/data/dataset.h"
#include "trainers/data/evaluation_images.h"
#include "trainers/data/image_source.h"
#include "trainers/engine/device.h"
#include "trainers/engine/features.h"
#include "trainers/engine/interrupt.h"
#include "trainers/engine/result.h"
#include "trainers/engine/resume.h"
#include "trainers/engine/run_directory.h"
#include "trainers/engine/run_state.h"
#include "trainers/engine/scores.h"
#include "trainers/engine/trainer.h"
#include "trainers/methods/make_method.h"
#include "trainers/methods/method.h"
#include "trainers/metrics/epoch_record.h"

namespace gsg {
namespace {

// Its data comes with the program.
constexpr char kDefaultRecipe[] = "fashion_mnist";

// Where the run begins: at its start, or where a saved one stopped.
absl::StatusOr<ResumePoint> StartingPoint(const CommandLine& command_line) {
  if (command_line.config.resume) return FindResumePoint(command_line);
  ResumePoint point;
  point.config = command_line.config;
  if (point.config.output_dir.empty()) {
    point.config.output_dir =
        DefaultOutputDir(point.config, absl::Now(), absl::LocalTimeZone());
  }
  return point;
}

// Features of all images, or, where nothing is labelled and they serve for
// pictures alone, of some.
absl::StatusOr<FeaturePair> AllFeatures(
    const Dataset& dataset,
    const std::function<absl::StatusOr<Features>(
        const ImageSource&, const std::vector<int64_t>&)>& features_of) {
  constexpr int64_t kUnlabelled = 10000;
  FeaturePair pair;
  absl::StatusOr<Features> train = features_of(
      *dataset.train, EvenlySpaced(dataset.train->size(),
                                   dataset.labelled() ? 0 : kUnlabelled));
  if (!train.ok()) return train.status();
  pair.train = *std::move(train);
  if (!dataset.labelled()) return pair;
  absl::StatusOr<Features> test =
      features_of(*dataset.test, EvenlySpaced(dataset.test->size(), 0));
  if (!test.ok()) return test.status();
  pair.test = *std::move(test);
  return pair;
}

absl::StatusOr<FeaturePair> NetworkFeatures(Trainer& trainer,
                                            const Dataset& dataset,
                                            DamagedImages& damaged) {
  return AllFeatures(dataset, [&](const ImageSource& source,
                                  const std::vector<int64_t>& indices) {
    return BackboneFeatures(trainer.method().backbone(), source, indices,
                            trainer.evaluation_options(), trainer.device(),
                            &damaged);
  });
}

// Raw pixels and the untrained network: what training has to beat.
absl::Status MeasureBaselines(Trainer& trainer, const Dataset& dataset,
                              const Config& config, DamagedImages& damaged) {
  if (!dataset.labelled() || !config.baselines) return trainer.Save();
  absl::PrintF("Measuring what training has to beat ...\n");
  std::fflush(stdout);
  absl::StatusOr<FeaturePair> pixels = AllFeatures(
      dataset,
      [&](const ImageSource& source, const std::vector<int64_t>& indices) {
        return PixelFeatures(source, indices, config.crop_size,
                             at::get_num_threads(), &damaged);
      });
  if (!pixels.ok()) return pixels.status();
  absl::StatusOr<Scores> raw =
      MeasureScores("raw pixels", *pixels, dataset, config);
  if (!raw.ok()) return raw.status();
  pixels = FeaturePair();  // gives the memory back
  absl::StatusOr<FeaturePair> features =
      NetworkFeatures(trainer, dataset, damaged);
  if (!features.ok()) return features.status();
  absl::StatusOr<Scores> untrained =
      MeasureScores("untrained network", *features, dataset, config);
  if (!untrained.ok()) return untrained.status();
  trainer.state().raw_pixels = *raw;
  trainer.state().untrained = *untrained;
  absl::PrintF(
      "Before training, k-NN top-1: raw pixels %.2f, this network "
      "untrained %.2f\n",
      raw->knn_top1, untrained->knn_top1);
  std::fflush(stdout);
  return trainer.Save();
}

// Warns of damaged images as they are found.
class DamageWarnings {
 public:
  DamageWarnings(const DamagedImages* damaged, Progress* progress)
      : damaged_(*damaged), progress_(*progress) {}

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
  size_t shown_ = 0;
};

TrainerHooks ShowOn(Progress& progress, DamageWarnings& warnings,
                    absl::Time start) {
  TrainerHooks hooks;
  hooks.on_epoch_start = [&](int64_t epoch, int64_t batches_done) {
    progress.StartEpoch(epoch, batches_done);
  };
  hooks.on_step = [&](int64_t batches_done, double loss) {
    warnings.ShowNew();
    progress.Update(batches_done, [loss] { return loss; });
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

absl::Status Run(const CommandLine& command_line) {
  absl::StatusOr<ResumePoint> start = StartingPoint(command_line);
  if (!start.ok()) return start.status();
  const Config& config = start->config;
  if (!start->warning.empty()) {
    absl::FPrintF(stderr, "warning: %s\n", start->warning);
  }
  absl::StatusOr<c10::Device> device = ChooseDevice(config.device);
  if (!device.ok()) return device.status();
  absl::StatusOr<Dataset> dataset = LoadDataset(
      config.dataset, config.data_dir, static_cast<int>(config.channels));
  if (!dataset.ok()) return dataset.status();

  UseThreads(config.threads);
  at::manual_seed(config.seed);
  absl::StatusOr<std::unique_ptr<Method>> method =
      MakeMethod(config, dataset->train->channels(), *device);
  if (!method.ok()) return method.status();
  DamagedImages damaged(config.max_damaged);
  absl::StatusOr<std::unique_ptr<Trainer>> trainer =
      Trainer::Create(config, &*dataset, *std::move(method), *device, &damaged);
  if (!trainer.ok()) return trainer.status();

  // Nothing has been written so far; from here on the folder is this run's.
  if (absl::Status s = PrepareRunDirectory(config); !s.ok()) return s;
  const std::string config_path =
      absl::StrCat(config.output_dir, "/", kConfigFile);
  if (absl::Status s = WriteFileAtomically(config_path, ToJson(config));
      !s.ok()) {
    return s;
  }
  absl::PrintF(
      "%s on %s, recipe %s: %s train and %s test images%s, %s, %d CPU "
      "threads\nOutput: %s\n",
      config.method, config.dataset, config.recipe,
      GroupedNumber(dataset->train->size()),
      dataset->labelled() ? GroupedNumber(dataset->test->size()) : "no",
      dataset->labelled() ? "" : " (no labels, so nothing will be scored)",
      device->str(), at::get_num_threads(), config.output_dir);
  std::fflush(stdout);

  if (start->checkpoint.has_value()) {
    if (absl::Status s = (*trainer)->Restore(start->state, *start->checkpoint);
        !s.ok()) {
      return s;
    }
    start->checkpoint.reset();
    absl::PrintF("Continuing after %d epochs and %d batches\n",
                 start->state.epoch, start->state.batch);
  } else if (absl::Status s =
                 MeasureBaselines(**trainer, *dataset, config, damaged);
             !s.ok()) {
    return s;
  }

  Progress progress(
      StderrConsole(),
      {config.epochs, (*trainer)->batches_per_epoch(), config.batch_size});
  DamageWarnings warnings(&damaged, &progress);
  warnings.ShowNew();
  const TrainerHooks hooks = ShowOn(progress, warnings, absl::Now());
  absl::PrintF("%s\n", EpochHeader());
  std::fflush(stdout);
  // Before and after, an interrupt ends the program at once: nothing is lost.
  CatchInterrupts();
  if (absl::Status s = (*trainer)->Train(hooks); !s.ok()) return s;
  ReleaseInterrupts();
  progress.Clear();
  absl::PrintF(dataset->labelled() ? "Evaluating on all images ...\n"
                                   : "Drawing the report ...\n");
  std::fflush(stdout);

  const absl::StatusOr<FeaturePair> features =
      NetworkFeatures(**trainer, *dataset, damaged);
  if (!features.ok()) return features.status();
  Scores trained;
  if (dataset->labelled()) {
    absl::StatusOr<Scores> scores =
        MeasureScores("trained network", *features, *dataset, config);
    if (!scores.ok()) return scores.status();
    trained = *scores;
  }
  if (absl::Status s = WriteResult(config, *dataset, (*trainer)->state(),
                                   trained, *features, damaged);
      !s.ok()) {
    return s;
  }
  if (dataset->labelled()) {
    absl::PrintF("\n%s", ScoreTable((*trainer)->state(), trained));
  }
  warnings.ShowNew();
  if (!damaged.list().empty()) {
    absl::FPrintF(stderr, "warning: %d damaged image%s left out\n",
                  damaged.list().size(),
                  damaged.list().size() == 1 ? " was" : "s were");
  }
  absl::PrintF("\nReport: %s/%s\n", config.output_dir, kReportFile);
  return absl::OkStatus();
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
  const absl::Status status = Run(*command_line);
  if (status.ok()) return 0;
  if (absl::IsCancelled(status)) {
    absl::FPrintF(stderr, "%s\n", status.message());
    return 128 + Interrupted();
  }
  absl::FPrintF(stderr, "%s: %s\n", method, status.message());
  return 1;
}

}  // namespace gsg
