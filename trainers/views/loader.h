#ifndef GSG_TRAINERS_VIEWS_LOADER_H_
#define GSG_TRAINERS_VIEWS_LOADER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/params.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {

struct LoaderOptions {
  int64_t batch_size = 512;
  // Makes part `part` of the `parts` equal ones into which every batch is cut,
  // in order: what other processes make of it this one does not.
  int part = 0;
  int parts = 1;
  int views = 2;  // augmented views of each image; 1 or more
  // Further ones, augmented in their own way (multi-crop), with the random
  // numbers of views that come behind the others: these stay as they are, but
  // that a file may have to be decoded less reduced for a small crop.
  int local_views = 0;
  AugmentOptions local_augment;
  uint64_t seed = 0;
  int threads = 1;   // that make batches, besides the caller's
  int prefetch = 2;  // finished batches held ready beyond those being made
};

// A batch, or this process's part of it: `views` augmented views of `size`
// images; view v of indices[b] is row b of view(v). BatchLoader::Next recycles
// its memory.
struct Batch {
  int64_t size = 0;      // B
  int64_t channels = 0;  // C
  int64_t side = 0;      // S
  int views = 0;
  std::vector<int64_t> indices;  // [B] in the source
  std::vector<float> pixels;     // [views, B, C, S, S], normalized
  int local_views = 0;
  int64_t local_side = 0;           // s
  std::vector<float> local_pixels;  // [local_views, B, C, s, s], normalized

  // [B, C, S, S] contiguous.
  const float* view(int v) const {
    return pixels.data() + v * size * channels * side * side;
  }

  // [B, C, s, s] contiguous.
  const float* local_view(int v) const {
    return local_pixels.data() + v * size * channels * local_side * local_side;
  }
};

// kInvalidArgument if the augmentation does not validate, a count is not
// positive, the batch is larger than the `images` there are, of `channels`
// channels, or its size is not a multiple of `parts`.
absl::Status Validate(int64_t images, int channels,
                      const AugmentOptions& augment,
                      const LoaderOptions& options);

// kOutOfRange unless an epoch of `batches` can begin so.
absl::Status CheckStart(int64_t epoch, int64_t first_batch, int64_t batches);

// The order of epoch `epoch`: a uniformly random permutation of 0..count-1
// (Fisher-Yates) that depends on nothing but the three arguments.
// 0 <= count < 2^32.
std::vector<int64_t> EpochOrder(int64_t count, uint64_t seed, int64_t epoch);

// Makes shuffled, augmented batches on its own threads while the caller
// trains, and delivers them in order. The last incomplete batch of an epoch is
// dropped. What is delivered depends only on the source, the options and the
// seed: not on `threads`, not on `parts` (the parts together are the batch),
// and not on whether an epoch started at batch k or came there from batch 0, so
// that a resumed run sees the same pixels.
//
// In the place of an image that cannot be read comes the next one of the
// source that can be, with the random numbers of the one it stands for.
//
// An image is decoded once for all its views, and as small as leaves each
// view's crop at least as many pixels a side as the view.
//
// Memory: threads + prefetch batches, and the caller's, of
// views * B * C * S * S * 4 bytes each (512 pairs of 3x32x32: 12.6 MB) and
// local_views * B * C * s * s * 4, 8 bytes per image of the source for the
// order, and a reader a thread.
//
// One caller thread at a time.
class BatchLoader {
 public:
  // `source` and `damaged` must outlive the loader. Damaged images are noted
  // by Next when it delivers the batch that would have had them, so that what
  // is noted depends on threads no more than the batches do.
  // Errors: Validate's.
  static absl::StatusOr<std::unique_ptr<BatchLoader>> Create(
      const ImageSource* source, const AugmentOptions& augment,
      const LoaderOptions& options, DamagedImages* damaged);

  // Stops the threads; waits at most for the images they are working on.
  ~BatchLoader();

  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  int64_t batches_per_epoch() const { return batches_per_epoch_; }

  // Begins epoch `epoch`, below 2^32, at batch `first_batch`, at most
  // batches_per_epoch(). Allowed at any time; what was left of an earlier
  // epoch is dropped.
  void StartEpoch(int64_t epoch, int64_t first_batch = 0);

  // Waits for the next batch and moves it into *batch, taking over *batch's
  // old memory. False at the end of the epoch.
  // Errors: kFailedPrecondition before the first StartEpoch; kOutOfRange if
  // StartEpoch's arguments were; kDataLoss if too many images are damaged
  // (DamagedImages::Add). An error comes again and again until the next
  // StartEpoch.
  absl::StatusOr<bool> Next(Batch* batch);

 private:
  // Damaged images that a batch came upon: by index, and why.
  using Damage = std::map<int64_t, absl::Status>;

  // One batch of the ring, number n of the epoch at slot n % slots_.size().
  struct Slot {
    Batch batch;
    Damage damage;
    absl::Status status;  // of making it, but for damage
    bool ready = false;
  };

  // What a thread works with.
  struct Tools {
    Augmenter augmenter;
    Augmenter local_augmenter;
    std::unique_ptr<ImageReader> reader;
    std::vector<AugmentParams> params;  // [views + local_views]
  };

  BatchLoader(const ImageSource* source, const AugmentOptions& augment,
              const LoaderOptions& options, DamagedImages* damaged);

  // A thread's life: claims the next batch to be made, makes it, marks it
  // ready.
  void Work();

  // Fills slot->batch with batch number `n` of the epoch. Returns early, with
  // the batch unfinished, once cancelled_ is set or the damage is too much.
  void Make(int64_t n, Tools* tools, Slot* slot) const;

  // Decodes image `index` for the views of image `stands_for`, whose
  // parameters it leaves in tools->params.
  absl::StatusOr<Image> Decode(int64_t index, int64_t stands_for,
                               Tools* tools) const;

  bool WorkOrStop() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool SlotIsReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool NoOneWorks() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ImageSource& source_;
  const AugmentOptions augment_;
  const LoaderOptions options_;
  const int64_t batches_per_epoch_;
  DamagedImages& damaged_;

  // Written by StartEpoch while no one works, read by those who do.
  int64_t epoch_ = 0;
  std::vector<int64_t> order_;

  // Tells those who work to let go; set together with stop_ or by StartEpoch.
  std::atomic<bool> cancelled_{false};

  absl::Mutex mutex_;
  absl::Status epoch_status_ ABSL_GUARDED_BY(mutex_);
  int64_t claimed_ ABSL_GUARDED_BY(mutex_) = 0;    // next batch to make
  int64_t delivered_ ABSL_GUARDED_BY(mutex_) = 0;  // next batch to deliver
  int working_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  // A slot between claim and ready belongs to the thread that claimed it.
  std::vector<Slot> slots_;

  std::vector<std::thread> threads_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_LOADER_H_
