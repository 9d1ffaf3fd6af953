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

// What step `step` (from 0) of `total_steps` does with `views`: its seed and
// the pairing, which are functions of (config.seed, step, rank), and whether it
// is guided yet.
absl::StatusOr<StepInput> MakeStepInput(const Config& config,
                                        const StepViews& views, int64_t step,
                                        int64_t total_steps, c10::Device device,
                                        const World& world);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAIN_STEP_INPUT_H_
