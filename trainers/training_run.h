// One run of a training program, from its command line to its report.

#ifndef GSG_TRAINERS_TRAINING_RUN_H_
#define GSG_TRAINERS_TRAINING_RUN_H_

#include <string>

#include "absl/status/status.h"
#include "trainers/config/command_line.h"
#include "trainers/distributed/world.h"

namespace gsg {

// On this rank of `world`. *output_dir is told where the run is as soon as that
// is known.
// Errors: kCancelled after SIGINT or SIGTERM, with everything saved;
// kResourceExhausted if memory ran out; those of Trainer and of what is read
// and written; the world's.
absl::Status RunTraining(const CommandLine& command_line, World& world,
                         std::string* output_dir);

}  // namespace gsg

#endif  // GSG_TRAINERS_TRAINING_RUN_H_
