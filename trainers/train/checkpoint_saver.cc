#include "trainers/train/checkpoint_saver.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

// Is the last epoch's k-NN above that of all before it?
bool LastIsBest(const RunState& state) {
  if (state.history.empty()) return false;
  const double last = state.history.back().knn_top1;
  if (std::isnan(last)) return false;
  return std::none_of(
      state.history.begin(), state.history.end() - 1,
      [last](const EpochRecord& epoch) { return epoch.knn_top1 >= last; });
}

}  // namespace

absl::Status CheckpointSaver::SaveInBackground(const RunState& state) {
  last_save_ = absl::Now();
  // First: memory holds one of them at a time.
  GSG_RETURN_IF_ERROR(Wait());
  std::string pickled = PickleCheckpoint(
      {StateToJson(state, config_), method_.State(), optimizer_.State()});
  writing_ = std::async(std::launch::async,
                        [this, pickled = std::move(pickled)]() mutable {
                          return SavePickled(config_.output_dir,
                                             std::move(pickled), config_.keep);
                        });
  return absl::OkStatus();
}

absl::Status CheckpointSaver::Wait() {
  return writing_.valid() ? writing_.get() : absl::OkStatus();
}

absl::Status CheckpointSaver::KeepForGood(const RunState& state) {
  if (state.epoch == 0 || state.batch != 0) return absl::OkStatus();
  const std::string& folder = config_.output_dir;
  if (config_.keep_every > 0 && state.epoch % config_.keep_every == 0) {
    GSG_RETURN_IF_ERROR(Wait());
    GSG_RETURN_IF_ERROR(KeepAs(LastCheckpointPath(folder),
                               EpochCheckpointPath(folder, state.epoch)));
  }
  if (config_.keep_best == "knn_top1" && LastIsBest(state)) {
    GSG_RETURN_IF_ERROR(Wait());
    GSG_RETURN_IF_ERROR(
        KeepAs(LastCheckpointPath(folder), BestCheckpointPath(folder)));
  }
  return absl::OkStatus();
}

bool CheckpointSaver::Due() const {
  return config_.checkpoint_minutes > 0 &&
         absl::Now() - last_save_ > absl::Minutes(config_.checkpoint_minutes);
}

}  // namespace gsg
