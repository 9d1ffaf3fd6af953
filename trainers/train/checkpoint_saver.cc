#include "trainers/train/checkpoint_saver.h"

#include <future>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"

namespace gsg {

absl::Status CheckpointSaver::SaveInBackground(const RunState& state) {
  last_save_ = absl::Now();
  std::string pickled = PickleCheckpoint(
      {StateToJson(state, config_), method_.State(), optimizer_.State()});
  GSG_RETURN_IF_ERROR(Wait());
  writing_ =
      std::async(std::launch::async, [this, pickled = std::move(pickled)] {
        return SavePickled(config_.output_dir, pickled, config_.keep);
      });
  return absl::OkStatus();
}

absl::Status CheckpointSaver::Wait() {
  return writing_.valid() ? writing_.get() : absl::OkStatus();
}

absl::Status CheckpointSaver::KeepEpoch(const RunState& state) {
  if (config_.keep_every == 0 || state.epoch == 0 || state.batch != 0 ||
      state.epoch % config_.keep_every != 0) {
    return absl::OkStatus();
  }
  GSG_RETURN_IF_ERROR(Wait());
  return KeepAs(LastCheckpointPath(config_.output_dir),
                EpochCheckpointPath(config_.output_dir, state.epoch));
}

bool CheckpointSaver::Due() const {
  return config_.checkpoint_minutes > 0 &&
         absl::Now() - last_save_ > absl::Minutes(config_.checkpoint_minutes);
}

}  // namespace gsg
