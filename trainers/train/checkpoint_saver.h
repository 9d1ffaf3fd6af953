#ifndef GSG_TRAINERS_TRAIN_CHECKPOINT_SAVER_H_
#define GSG_TRAINERS_TRAIN_CHECKPOINT_SAVER_H_

#include <future>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/config/config.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/run/run_state.h"

namespace gsg {

// Writes a run's checkpoints, on a thread of its own.
class CheckpointSaver {
 public:
  // All must outlive this.
  CheckpointSaver(const Config* config, Method* method, Optimizer* optimizer)
      : config_(*config), method_(*method), optimizer_(*optimizer) {}

  // Copies the tensors and returns while the file is written. Errors: that of
  // the save before this one; this one's error comes from the next call or from
  // Wait.
  absl::Status SaveInBackground(const RunState& state);

  // Waits until the file is on the disk, and returns its error.
  absl::Status Wait();

  // Keeps the last checkpoint for good if `state` is at the end of an epoch for
  // which --keep_every or --keep_best asks that.
  absl::Status KeepForGood(const RunState& state);

  // Whether --checkpoint_minutes asks for a save now.
  bool Due() const;

 private:
  const Config& config_;
  Method& method_;
  Optimizer& optimizer_;
  absl::Time last_save_ = absl::Now();
  // Its destructor waits.
  std::future<absl::Status> writing_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_CHECKPOINT_SAVER_H_
