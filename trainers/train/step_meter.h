#ifndef GSG_TRAINERS_TRAIN_STEP_METER_H_
#define GSG_TRAINERS_TRAIN_STEP_METER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/methods/method.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"
#include "trainers/train/collapse_watch.h"
#include "trainers/train/result_queue.h"

namespace gsg {

// Training cannot go on at step `step`, counted from 1: kOutOfRange with `why`,
// and what to try.
absl::Status BrokeDown(const Config& config, const RunState& state,
                       int64_t step, absl::string_view why);

// The totals of the epoch in `state` as the line of metrics.jsonl. Scores are
// left unknown.
EpochRecord MeasuredEpoch(const Config& config, const RunState& state,
                          double lr);

// Adds what steps measured to the totals of a run's state, and watches for a
// loss that is not finite and for collapse. On a GPU results arrive some steps
// late (result_queue.h).
class StepMeter {
 public:
  // All must outlive this.
  StepMeter(const Config* config, RunState* state, World* world)
      : config_(*config), state_(*state), world_(*world) {}

  void StartEpoch(int64_t batches) { watch_ = CollapseWatch(batches); }

  // Of a step that state.step counts already.
  void Put(StepResult result) { results_.Put(std::move(result)); }

  // Shows a warning; may be empty.
  using Warn = std::function<void(const std::string&)>;
  // Adds the results that are there, or all of them.
  // Errors: kOutOfRange as BrokeDown, or if the features collapsed.
  absl::Status AddKnown(const Warn& warn) { return Add(results_.Take(), warn); }
  absl::Status AddAll(const Warn& warn) {
    return Add(results_.TakeAll(), warn);
  }

 private:
  absl::Status Add(const std::vector<StepResult>& results, const Warn& warn);
  absl::Status WatchCollapse(double feature_std, int64_t step,
                             const Warn& warn);

  const Config& config_;
  RunState& state_;
  World& world_;
  ResultQueue results_;
  CollapseWatch watch_{1};
  bool warned_ = false;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_STEP_METER_H_
