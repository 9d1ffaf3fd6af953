#ifndef GSG_TRAINERS_TRAIN_STEP_INPUT_H_
#define GSG_TRAINERS_TRAIN_STEP_INPUT_H_

#include <c10/core/Device.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/methods/method.h"
#include "trainers/views/view_batch.h"

namespace gsg {

// Where a batch lies among the `accumulate` whose gradients make one update.
// Those of an epoch's end may be fewer.
struct StepPart {
  bool first = true, last = true;
  int64_t count = 1;
};

// Of batch `batch` (from 0) of an epoch of `batches`.
StepPart PartOfStep(int64_t batch, int64_t batches, int64_t accumulate);

// What step `step` (from 0) of `total_steps` does with `views`: its seed and
// the pairing, which are functions of (config.seed, step, rank), and whether it
// is guided yet. Its gradients are to be added up over the `part.count` batches
// of an update, whose mean they make then; the momentum encoder's step is the
// first one's.
absl::StatusOr<StepInput> MakeStepInput(const Config& config,
                                        const StepViews& views, int64_t step,
                                        int64_t total_steps,
                                        const StepPart& part,
                                        c10::Device device, const World& world);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_STEP_INPUT_H_
