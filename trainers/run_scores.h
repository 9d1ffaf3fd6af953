// The scores in a run's closing table: raw pixels, the network before training
// and after it.

#ifndef GSG_TRAINERS_RUN_SCORES_H_
#define GSG_TRAINERS_RUN_SCORES_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/scores.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/run/epoch_record.h"
#include "trainers/train/trainer.h"

namespace gsg {

// The network's features of all images of a labeled data set; of some images
// of one without labels, where they serve for pictures alone. All on the root.
absl::StatusOr<FeaturePair> NetworkFeatures(Trainer& trainer,
                                            const Dataset& dataset,
                                            DamagedImages& damaged,
                                            World& world);

// Raw pixels and the untrained network, which training has to beat: into the
// trainer's state. All ranks call it.
absl::Status MeasureBaselines(Trainer& trainer, const Dataset& dataset,
                              const Config& config, DamagedImages& damaged,
                              World& world);

// Of the trained network, whose `features` they are. On the root.
absl::StatusOr<Scores> TrainedScores(Trainer& trainer,
                                     const FeaturePair& features,
                                     const Dataset& dataset,
                                     const Config& config,
                                     DamagedImages& damaged);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_SCORES_H_
