// What the terminal shows of a run.

#ifndef GSG_TRAINERS_RUN_DISPLAY_H_
#define GSG_TRAINERS_RUN_DISPLAY_H_

#include <c10/core/Device.h>

#include <cstddef>

#include "absl/time/time.h"
#include "trainers/config/config.h"
#include "trainers/console/progress.h"
#include "trainers/distributed/world.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/train/trainer.h"
#include "trainers/weights/backbone_weights.h"

namespace gsg {

// The lines above the table.
void Announce(const Config& config, const Dataset& dataset, c10::Device device,
              const World& world);

// What was found in the file of --init.
void AnnounceWeights(const Config& config, const BackboneWeights& weights);

// Warns of damaged images as they are found, but for the first `warned`.
class DamageWarnings {
 public:
  // Both must outlive it.
  DamageWarnings(const DamagedImages* damaged, size_t warned,
                 Progress* progress)
      : damaged_(*damaged), progress_(*progress), shown_(warned) {}

  void ShowNew();
  // At the end: how many there were.
  void ShowSum();

 private:
  const DamagedImages& damaged_;
  Progress& progress_;
  size_t shown_;
};

// A line an epoch on stdout, progress and warnings on stderr. Ctrl-C says what
// it does, if the process trains alone. What it is given must outlive the
// hooks; `start` is when training started.
TrainerHooks ShowOn(Progress& progress, DamageWarnings& warnings,
                    absl::Time start, bool alone);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_DISPLAY_H_
