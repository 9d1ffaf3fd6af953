#include "trainers/run_scores.h"

#include <ATen/Parallel.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/scores.h"
#include "trainers/evaluate/view_retrieval.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/report/verdict.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/trainer.h"

namespace gsg {
namespace {

// Features of all images, or, where nothing is labeled and they serve for
// pictures alone, of some.
absl::StatusOr<FeaturePair> AllFeatures(
    const Dataset& dataset,
    const std::function<absl::StatusOr<Features>(
        const ImageSource&, const std::vector<int64_t>&)>& features_of) {
  constexpr int64_t kUnlabeled = 10000;
  FeaturePair pair;
  GSG_ASSIGN_OR_RETURN(
      Features train,
      features_of(*dataset.train,
                  EvenlySpaced(dataset.train->size(),
                               dataset.labeled() ? 0 : kUnlabeled)));
  pair.train = std::move(train);
  if (!dataset.labeled()) return pair;
  GSG_ASSIGN_OR_RETURN(
      Features test,
      features_of(*dataset.test, EvenlySpaced(dataset.test->size(), 0)));
  pair.test = std::move(test);
  return pair;
}

absl::StatusOr<FeaturePair> RawPixels(const Dataset& dataset,
                                      const Config& config,
                                      DamagedImages& damaged, World& world) {
  return AllFeatures(dataset, [&](const ImageSource& source,
                                  const std::vector<int64_t>& indices) {
    return FeaturesOfRanks(
        world, source, indices, [&](absl::Span<const int64_t> part) {
          return PixelFeatures(source, part, config.augment.size,
                               at::get_num_threads(), &damaged);
        });
  });
}

// The root's part of the baselines, once it has the raw pixels' scores.
absl::Status KeepBaselines(Trainer& trainer, const Scores& raw,
                           const FeaturePair& features, const Dataset& dataset,
                           const Config& config) {
  GSG_ASSIGN_OR_RETURN(
      Scores untrained,
      MeasureScores(StartName(config), features, dataset, config));
  trainer.state().raw_pixels = raw;
  trainer.state().untrained = untrained;
  absl::PrintF("Before training, k-NN top-1: raw pixels %.2f, %s %.2f\n",
               raw.knn_top1, StartName(config), untrained.knn_top1);
  std::fflush(stdout);
  return absl::OkStatus();
}

// Views of at most 1,000 training images are compared.
std::vector<int64_t> ViewedImages(const Dataset& dataset) {
  constexpr int64_t kImages = 1000;
  return EvenlySpaced(dataset.train->size(),
                      dataset.train->size() > kImages ? kImages : 0);
}

// ViewRetrieval of the network as it is now.
absl::StatusOr<double> ViewScore(Trainer& trainer, const Dataset& dataset,
                                 const Config& config, DamagedImages& damaged) {
  return ViewRetrieval(trainer.method().backbone(), *dataset.train,
                       ViewedImages(dataset), config.augment, config.seed,
                       trainer.evaluator().options(), trainer.device(),
                       &damaged);
}

// What training has to beat where there are no labels.
absl::Status UnlabeledBaseline(Trainer& trainer, const Dataset& dataset,
                               const Config& config, DamagedImages& damaged,
                               World& world) {
  if (world.root()) {
    absl::StatusOr<double> score = ViewScore(trainer, dataset, config, damaged);
    if (score.ok()) {
      trainer.state().untrained.view_top1 = *score;
      score = PixelViewRetrieval(*dataset.train, ViewedImages(dataset),
                                 config.augment, config.seed,
                                 at::get_num_threads(), &damaged);
    }
    if (score.ok()) trainer.state().raw_pixels.view_top1 = *score;
    GSG_RETURN_IF_ERROR(trainer.ranks().ReportRootOnly(score.status()));
  }
  return world.WaitForRoot();
}

}  // namespace

absl::StatusOr<FeaturePair> NetworkFeatures(Trainer& trainer,
                                            const Dataset& dataset,
                                            DamagedImages& damaged,
                                            World& world) {
  return AllFeatures(dataset, [&](const ImageSource& source,
                                  const std::vector<int64_t>& indices) {
    return FeaturesOfRanks(
        world, source, indices, [&](absl::Span<const int64_t> part) {
          return BackboneFeatures(trainer.method().backbone(), source, part,
                                  trainer.evaluator().options(),
                                  trainer.device(), &damaged);
        });
  });
}

absl::Status MeasureBaselines(Trainer& trainer, const Dataset& dataset,
                              const Config& config, DamagedImages& damaged,
                              World& world) {
  if (!config.baselines) return absl::OkStatus();
  if (!dataset.labeled()) {
    return UnlabeledBaseline(trainer, dataset, config, damaged, world);
  }
  absl::PrintF("Measuring what training has to beat ...\n");
  std::fflush(stdout);
  absl::StatusOr<FeaturePair> pixels =
      RawPixels(dataset, config, damaged, world);
  if (!pixels.ok()) return pixels.status();
  absl::StatusOr<Scores> raw = Scores();
  if (world.root()) {
    raw = MeasureScores("raw pixels", *pixels, dataset, config);
  }
  // Scoring takes the root alone some time.
  GSG_RETURN_IF_ERROR(world.WaitForRoot());
  GSG_RETURN_IF_ERROR(world.Agree(raw.status()));
  pixels = FeaturePair();  // gives the memory back
  GSG_ASSIGN_OR_RETURN(FeaturePair features,
                       NetworkFeatures(trainer, dataset, damaged, world));
  if (world.root()) {
    absl::Status s = trainer.ranks().ReportRootOnly(
        KeepBaselines(trainer, *raw, features, dataset, config));
    if (!s.ok()) return s;
  }
  return world.WaitForRoot();
}

absl::StatusOr<Scores> TrainedScores(Trainer& trainer,
                                     const FeaturePair& features,
                                     const Dataset& dataset,
                                     const Config& config,
                                     DamagedImages& damaged) {
  if (dataset.labeled()) {
    return MeasureScores("trained network", features, dataset, config);
  }
  Scores scores;
  if (config.baselines) {
    GSG_ASSIGN_OR_RETURN(scores.view_top1,
                         ViewScore(trainer, dataset, config, damaged));
  }
  return scores;
}

}  // namespace gsg
