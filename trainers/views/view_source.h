// Source of a step's views, as tensors on the training device.

#ifndef GSG_TRAINERS_VIEWS_VIEW_SOURCE_H_
#define GSG_TRAINERS_VIEWS_VIEW_SOURCE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "trainers/views/view_batch.h"

namespace gsg {

// Delivers what BatchLoader (trainers/views/loader.h) would, in the same order.
class ViewSource {
 public:
  virtual ~ViewSource() = default;

  virtual int64_t batches_per_epoch() const = 0;

  // Begins epoch `epoch` at batch `first_batch`. Drops what is left of another
  // epoch.
  virtual void StartEpoch(int64_t epoch, int64_t first_batch) = 0;

  // The next batch, whose tensors are valid until the next call; on a GPU they
  // are ready in the order of the current stream. False at the end of the
  // epoch. Errors: BatchLoader::Next's.
  virtual absl::StatusOr<bool> Next(StepViews* views) = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_VIEW_SOURCE_H_
