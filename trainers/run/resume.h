// Finding out where a run stopped.

#ifndef GSG_TRAINERS_RUN_RESUME_H_
#define GSG_TRAINERS_RUN_RESUME_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/run_state.h"

namespace gsg {

struct ResumePoint {
  Config config;  // the saved one with the flags that may change
  RunState state;
  // None if the run ended before its first checkpoint: it starts again.
  std::optional<Checkpoint> checkpoint;
  // Worth telling the user, or empty.
  std::string warning;
};

// Reads the run in command_line.config.output_dir.
// Errors: kNotFound if there is none; kDataLoss if its last checkpoint is
// damaged, or gone and others are there, naming it and saying how to go on from
// the newest good one;
// kFailedPrecondition if a flag would make it another run, or if it is another
// method's.
absl::StatusOr<ResumePoint> FindResumePoint(const CommandLine& command_line);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_RESUME_H_
