#include "trainers/train/step_input.h"

#include <c10/core/Device.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "gsg_core/pairing.h"
#include "gsg_core/random.h"
#include "gsg_core/selection.h"
#include "gsg_core/status_macros.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"
#include "trainers/views/view_batch.h"

namespace gsg {

StepPart PartOfStep(int64_t batch, int64_t batches, int64_t accumulate) {
  const int64_t begin = batch / accumulate * accumulate;
  const int64_t end = std::min(begin + accumulate, batches);
  return {batch == begin, batch + 1 == end, end - begin};
}

absl::StatusOr<StepInput> MakeStepInput(const Config& config,
                                        const StepViews& views, int64_t step,
                                        int64_t total_steps,
                                        const StepPart& part,
                                        c10::Device device,
                                        const World& world) {
  StepInput input;
  input.views = views;
  input.loss = config.loss;
  input.loss.grad_scale /= static_cast<double>(part.count);
  if (step < config.unguided_epochs * (total_steps / config.epochs)) {
    input.loss.selection = Selection::kNone;
  }
  input.loss.seed = StepSeed(config.seed, step);
  int64_t images = views.global.images();
  if (config.pairing_scope == "world") {
    images = config.batch_size;
  } else if (world.size() > 1) {
    // Each rank draws its own pairs.
    input.loss.seed = StepSeed(input.loss.seed, world.rank());
  }
  input.progress = std::nullopt;
  if (part.first) input.progress = static_cast<double>(step) / total_steps;
  if (config.pairing == PairingKind::kNearest) {
    input.nearest_candidates = config.pairing_candidates;
    return input;
  }
  GSG_ASSIGN_OR_RETURN(input.pairing,
                       MakePairing(config.pairing, images, input.loss.seed));
  if (device.is_cuda() && world.size() == 1) {
    GSG_ASSIGN_OR_RETURN(
        input.tensors,
        MakePairingTensors(input.pairing, input.loss.seed, device));
  }
  return input;
}

}  // namespace gsg
