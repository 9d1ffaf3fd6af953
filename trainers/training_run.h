// One run of a training program, from its command line to its report.

#ifndef GSG_TRAINERS_TRAINING_RUN_H_
#define GSG_TRAINERS_TRAINING_RUN_H_

#include <optional>

#include "absl/status/status.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"

namespace gsg {

// On this rank of `world`. *known becomes the run's as soon as that is known:
// the command line's, fitted to the images, or that of the run to resume.
// Errors: kCancelled after SIGINT or SIGTERM, with everything saved;
// a MemoryError; those of Trainer and of what is read
// and written; the world's.
absl::Status RunTraining(const CommandLine& command_line, World& world,
                         std::optional<Config>* known);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAINING_RUN_H_
