// The training loop that all methods share.

#ifndef GSG_TRAINERS_TRAIN_TRAINER_H_
#define GSG_TRAINERS_TRAIN_TRAINER_H_

#include <c10/core/Device.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/schedule.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"
#include "trainers/train/checkpoint_saver.h"
#include "trainers/train/epoch_evaluator.h"
#include "trainers/train/rank_agreement.h"
#include "trainers/train/shared_damage.h"
#include "trainers/train/step_meter.h"
#include "trainers/train/step_runner.h"
#include "trainers/views/view_source.h"

namespace gsg {

// Callbacks for showing progress. Any may be empty.
struct TrainerHooks {
  // Epoch `epoch` (1 is the first) starts, or resumes after batch
  // `batches_done`.
  std::function<void(int64_t epoch, int64_t batches_done)> on_epoch_start;
  // `loss` is the mean of the epoch so far. On a GPU the last steps are not in
  // it yet (result_queue.h).
  std::function<void(int64_t batches_done, double loss)> on_step;
  std::function<void(const EpochRecord&)> on_epoch_end;
  // Something that does not end the run and that a person should know.
  std::function<void(const std::string&)> on_warning;
};

// How long things take.
struct EpochCost {
  absl::Duration step;
  absl::Duration evaluation;  // behind an epoch, on average
};

// Trains one method on one data set. Everything that later steps depend on is
// in state(), the method's tensors and the optimizer's; batches, augmentation
// and pairings are functions of (seed, epoch, step), so that a run which
// continues from a checkpoint does bit for bit what one that was never
// interrupted does (same machine, same number of threads).
class Trainer {
 public:
  // `dataset`, `damaged`, which notes the images that cannot be read, and
  // `world`, whose ranks all train, must outlive the trainer.
  // Errors: kInvalidArgument if the configuration does not fit the data or the
  // number of ranks; the world's.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(
      const Config& config, const Dataset* dataset,
      std::unique_ptr<Method> method, c10::Device device,
      DamagedImages* damaged, World* world);

  // Trains until the last epoch or config.max_steps. After each epoch it
  // appends to metrics.jsonl and then saves a checkpoint.
  // Errors: kCancelled after SIGINT or SIGTERM, with everything saved;
  // kOutOfRange if the loss is no longer finite or the features collapsed,
  // which on a GPU may be noticed some steps later, but before anything is
  // saved; kDataLoss if too many images are damaged; others from the file
  // system; the world's. The ranks end together, whichever got the signal or
  // the error.
  absl::Status Train(const TrainerHooks& hooks);

  // Trains some steps, for seconds, and evaluates once, to see how long that
  // takes. Nothing is written. What the network has learned stays: a run needs
  // another trainer. Errors: those of Train.
  absl::StatusOr<EpochCost> Rehearse();

  // Continues from a checkpoint of the same configuration. On ranks that are
  // not the root's `checkpoint` is null, and its tensors come from the root.
  // Errors: the checkpoint does not fit the network; kDataLoss if more images
  // were damaged than are allowed now; the world's.
  absl::Status Restore(const RunState& state, const Checkpoint* checkpoint);

  // What the run needs that this machine may not have, or "". Of one process on
  // the CPU, before its first step; "" elsewhere.
  absl::StatusOr<std::string> ResourceWarning();

  // On the root; elsewhere nothing. Returns when the checkpoint is on the disk.
  absl::Status Save();

  // The caller fills in the scores. The history ends with the epoch that
  // max_steps cut short, if it did.
  RunState& state() { return state_; }
  Method& method() { return *method_; }
  RankAgreement& ranks() { return ranks_; }
  const EpochEvaluator& evaluator() const { return evaluator_; }
  int64_t batches_per_epoch() const { return views_->batches_per_epoch(); }
  c10::Device device() const { return device_; }

 private:
  Trainer(const Config& config, const Dataset* dataset,
          std::unique_ptr<Method> method, c10::Device device,
          DamagedImages* damaged, World* world);

  // Sets all up for the epoch of state_. Until *on_stream ends, operations go
  // to stream_.
  absl::Status StartEpoch(std::optional<c10::StreamGuard>* on_stream);
  absl::Status TrainEpoch(const TrainerHooks& hooks);
  absl::Status TrainStep(const StepViews& views, const TrainerHooks& hooks);
  // The checkpoint is written while the next epoch is trained.
  absl::Status SaveInBackground();
  absl::Status KeepForGood();
  // The end after a signal, when all ranks have saved.
  absl::Status Stop();
  void PrepareGpu();
  double Rate(int64_t step) const { return LearningRate(schedule_, step); }
  bool BetweenUpdates() const;
  bool OutOfSteps() const;

  const Config config_;
  const int64_t channels_;
  const std::unique_ptr<Method> method_;
  const c10::Device device_;
  World& world_;
  SharedDamage shared_damage_;
  RankAgreement ranks_;
  EpochEvaluator evaluator_;
  ScheduleOptions schedule_;
  const std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<ViewSource> views_;
  // Of a GPU; not the default one, which a CUDA graph cannot record.
  std::optional<c10::Stream> stream_;
  // Null: steps are not recorded.
  std::unique_ptr<StepReplayer> recorded_;
  RunState state_;
  StepMeter meter_;
  CheckpointSaver saver_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_TRAINER_H_
