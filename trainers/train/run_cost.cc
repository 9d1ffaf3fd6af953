// What a run takes: memory and disk, and how long a step and an evaluation do.

#include <c10/core/StreamGuard.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/memory_estimate.h"
#include "trainers/train/trainer.h"
#include "trainers/views/view_source.h"

namespace gsg {

absl::StatusOr<std::string> Trainer::ResourceWarning() {
  if (world_.size() > 1 || !device_.is_cpu()) return "";
  GSG_ASSIGN_OR_RETURN(
      const ResourceEstimate estimate,
      EstimateResources(config_, channels_, *method_, *optimizer_));
  std::error_code error;
  const std::filesystem::space_info space =
      std::filesystem::space(config_.output_dir, error);
  return gsg::ResourceWarning(
      estimate, AvailableMemory(),
      error ? -1 : static_cast<int64_t>(space.available), config_);
}

absl::StatusOr<EpochCost> Trainer::Rehearse() {
  // The first steps allocate, and on a GPU choose algorithms and record.
  constexpr int kFirst = 3;
  constexpr int kLast = 15;
  constexpr absl::Duration kLongest = absl::Seconds(6);
  // Of the epochs that train all: where the backbone is frozen they cost more.
  state_.epoch = config_.init_freeze_epochs;
  int steps = 0;
  absl::Time start = absl::Now();
  absl::Duration taken;
  const auto enough = [&] {
    return steps >= kLast ||
           (world_.size() == 1 && steps > kFirst && taken > kLongest);
  };
  while (!enough()) {
    std::optional<c10::StreamGuard> on_stream;
    GSG_RETURN_IF_ERROR(StartEpoch(&on_stream));
    StepViews views;
    while (!enough()) {
      absl::StatusOr<bool> more = views_->Next(&views);
      GSG_RETURN_IF_ERROR(ranks_.Agree(more.status()));
      if (!*more) break;
      GSG_RETURN_IF_ERROR(TrainStep(views, TrainerHooks()));
      GSG_RETURN_IF_ERROR(meter_.AddAll(nullptr));  // waits for a GPU
      if (++steps == kFirst) start = absl::Now();
      taken = absl::Now() - start;
    }
    state_.batch = 0;
  }
  EpochCost cost;
  cost.step = taken / (steps - kFirst);

  const auto evaluation = [&](int64_t epoch) -> absl::StatusOr<absl::Duration> {
    EpochRecord record;
    record.epoch = epoch;
    start = absl::Now();
    GSG_RETURN_IF_ERROR(evaluator_.Score(&record));
    return absl::Now() - start;
  };
  // One epoch in `every` has k-NN, the others only the effective rank.
  const int64_t every = config_.knn_every;
  GSG_ASSIGN_OR_RETURN(cost.evaluation, evaluation(every));
  if (every > 1) {
    GSG_ASSIGN_OR_RETURN(const absl::Duration short_one, evaluation(1));
    cost.evaluation += (every - 1) * short_one;
    cost.evaluation /= every;
  }
  return cost;
}

}  // namespace gsg
