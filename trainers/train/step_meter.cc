#include "trainers/train/step_meter.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/methods/method.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"

namespace gsg {

absl::Status BrokeDown(const Config& config, const RunState& state,
                       int64_t step, absl::string_view why) {
  return absl::OutOfRangeError(absl::StrCat(
      "training broke down at step ", step, " (epoch ", state.epoch + 1, "): ",
      why, ". A learning rate that is too high does this: try --base_lr=",
      config.base_lr / 3, ". The checkpoint in ", config.output_dir,
      " is from before it."));
}

EpochRecord MeasuredEpoch(const Config& config, const RunState& state,
                          double lr) {
  const EpochTotals& totals = state.totals;
  EpochRecord record;
  record.epoch = state.epoch + 1;
  record.step = state.step;
  record.loss = totals.loss / totals.batches;
  record.feature_std = totals.feature_std / totals.batches;
  const double pairs = totals.batches * config.batch_size;
  for (size_t k = 0; k < record.pair_share.size(); ++k) {
    record.pair_share[k] = totals.pair_count[k] / pairs;
  }
  record.lr = lr;
  record.images_per_second =
      totals.batches * config.batch_size / totals.seconds;
  record.seconds = totals.seconds;
  return record;
}

absl::Status StepMeter::Add(const std::vector<StepResult>& results,
                            const Warn& warn) {
  // Steps that have been taken, but for those still in the queue.
  const int64_t read = state_.step - results_.size();
  int64_t step = read - static_cast<int64_t>(results.size());
  for (const StepResult& result : results) {
    ++step;
    if (!std::isfinite(result.loss)) {
      return BrokeDown(config_, state_, step, "the loss is not finite");
    }
    ++state_.totals.batches;
    state_.totals.loss += result.loss;
    state_.totals.feature_std += result.feature_std;
    for (size_t k = 0; k < result.pair_count.size(); ++k) {
      state_.totals.pair_count[k] += result.pair_count[k];
    }
    const absl::Status status = WatchCollapse(result.feature_std, step, warn);
    // The same on all ranks: one of them says so.
    if (!status.ok()) return world_.Agree(status);
  }
  return absl::OkStatus();
}

absl::Status StepMeter::WatchCollapse(double feature_std, int64_t step,
                                      const Warn& warn) {
  const std::optional<double> spread = watch_.Add(feature_std);
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
  if (!warned_ && warn) warn(collapsed);
  warned_ = true;
  return absl::OkStatus();
}

}  // namespace gsg
