// The training loop that all methods share.

#ifndef GSG_TRAINERS_ENGINE_TRAINER_H_
#define GSG_TRAINERS_ENGINE_TRAINER_H_

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gsg_core/loss.h"
#include "gsg_core/pairing.h"
#include "trainers/checkpoint/checkpoint.h"
#include "trainers/config/config.h"
#include "trainers/data/damaged_images.h"
#include "trainers/data/dataset.h"
#include "trainers/data/evaluation_images.h"
#include "trainers/data/image_source.h"
#include "trainers/distributed/world.h"
#include "trainers/engine/collapse_watch.h"
#include "trainers/engine/features.h"
#include "trainers/engine/result_queue.h"
#include "trainers/engine/run_state.h"
#include "trainers/engine/shared_damage.h"
#include "trainers/engine/step_runner.h"
#include "trainers/engine/view_source.h"
#include "trainers/methods/method.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/schedule.h"

namespace gsg {

// Called by the loop, for whoever shows it to people. Any may be empty.
struct TrainerHooks {
  // Epoch `epoch` (1 is the first) goes on behind `batches_done`.
  std::function<void(int64_t epoch, int64_t batches_done)> on_epoch_start;
  // `loss` is the mean of the epoch so far, as far as it has been read: of the
  // last steps on a GPU it is not (result_queue.h).
  std::function<void(int64_t batches_done, double loss)> on_step;
  std::function<void(const EpochRecord&)> on_epoch_end;
  // Something that does not end the run and that a person should know.
  std::function<void(const std::string&)> on_warning;
};

// Trains one method on one data set. Everything that later steps depend on is
// in state(), the method's tensors and the optimiser's; batches, augmentation
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

  // Continues from a checkpoint of the same configuration. On ranks that are
  // not the root's `checkpoint` is null, and its tensors come from the root.
  // Errors: the checkpoint does not fit the network; kDataLoss if more images
  // were damaged than are allowed now; the world's.
  absl::Status Restore(const RunState& state, const Checkpoint* checkpoint);

  // On the root; elsewhere nothing. Returns when the checkpoint is on the disk.
  absl::Status Save();

  // Tells the other ranks of `mine`, of signals and of damaged images: each
  // rank calls it at the same places. Errors: as World::Agree; kDataLoss if all
  // ranks' damaged images together are too many.
  absl::Status Confer(const absl::Status& mine);

  // To be told how something went that the root does alone. With one rank it is
  // the result; else an error is kept for the next Confer, which is Train's, so
  // that all ranks end by it.
  absl::Status OfRoot(const absl::Status& status);

  // Of the scores, filled in by whoever measures them; and the history, which
  // ends with the epoch that max_steps cut short, if it did.
  RunState& state() { return state_; }
  Method& method() { return *method_; }
  int64_t batches_per_epoch() const { return views_->batches_per_epoch(); }
  // How images are prepared for evaluation.
  EvaluationOptions evaluation_options() const;
  c10::Device device() const { return device_; }

 private:
  Trainer(const Config& config, const Dataset* dataset,
          std::unique_ptr<Method> method, c10::Device device,
          DamagedImages* damaged, World* world);

  absl::Status TrainEpoch(const TrainerHooks& hooks);
  absl::Status TrainStep(const BatchViews& batch, const TrainerHooks& hooks);
  // Adds what the last of the steps that have been read measured to the totals.
  absl::Status AddResults(const std::vector<StepResult>& results,
                          const TrainerHooks& hooks);
  // `step` is the number, counted from 1, of the one that measured this.
  absl::Status WatchCollapse(double feature_std, int64_t step,
                             const TrainerHooks& hooks);
  absl::Status BrokeDown(int64_t step, absl::string_view why) const;
  absl::StatusOr<EpochRecord> Evaluate();
  // `bank` null: without k-NN.
  absl::Status ScoreEpoch(const Features& queries, const Features* bank,
                          EpochRecord* record);
  absl::StatusOr<Features> EvenlySpacedFeatures(const ImageSource& source,
                                                int64_t count);
  // Save, but training goes on while the disk is written to. Errors: that of
  // the save before; the next one, or Saved, has this one's.
  absl::Status SaveMeanwhile();
  absl::Status Saved();
  absl::Status KeepEpoch();
  absl::Status Stopped() const;
  void PrepareGpu();
  // Whether a signal asks for an end, on all ranks alike.
  bool MustStop() const;
  double Rate(int64_t step) const;
  bool OutOfSteps() const;

  const Config config_;
  const Dataset& dataset_;
  const std::unique_ptr<Method> method_;
  const c10::Device device_;
  DamagedImages& damaged_;
  World& world_;
  SharedDamage shared_damage_;
  absl::Status of_root_;
  bool told_to_stop_ = false;
  LossOptions loss_options_;
  PairingKind pairing_ = PairingKind::kCyclic;
  ScheduleOptions schedule_;
  const std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<ViewSource> views_;
  // Of a GPU; not the default one, which a CUDA graph cannot record.
  std::optional<c10::Stream> stream_;
  // Null: steps are not recorded.
  std::unique_ptr<RecordedSteps> recorded_;
  RunState state_;
  ResultQueue results_;
  CollapseWatch collapse_watch_{1};
  bool warned_of_collapse_ = false;
  absl::Time last_save_ = absl::Now();
  // Of the thread that writes the last checkpoint. Whoever destroys it waits.
  std::future<absl::Status> saving_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_ENGINE_TRAINER_H_
