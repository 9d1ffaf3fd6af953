// How long a step and an evaluation take.

#include <c10/core/StreamGuard.h>

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/trainer.h"
#include "trainers/views/view_source.h"

namespace gsg {

absl::StatusOr<EpochCost> Trainer::Rehearse() {
  // The first steps allocate, and on a GPU choose algorithms and record.
  constexpr int kFirst = 3;
  constexpr int kLast = 15;
  constexpr absl::Duration kLongest = absl::Seconds(6);
  int steps = 0;
  absl::Time start = absl::Now();
  absl::Duration taken;
  const auto enough = [&] {
    return steps >= kLast ||
           (world_.size() == 1 && steps > kFirst && taken > kLongest);
  };
  while (!enough()) {
    std::optional<c10::StreamGuard> on_stream;
    StartEpoch(&on_stream);
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
