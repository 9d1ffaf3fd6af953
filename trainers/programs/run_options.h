// Flags: which run, and which of its checkpoints.

#ifndef GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_
#define GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trainers/config/field.h"

namespace gsg {

struct RunOptions {
  std::string run;
  std::string checkpoint;
};

// For the VisitFields of a struct that has RunOptions for its base.
template <class Options, class Visitor>
void VisitRunFields(Options& options, Visitor&& visit) {
  constexpr absl::string_view kRun = "Run";
  visit(options.run, Field{"run", kRun, "a trainer's --output_dir"}.Path());
  visit(options.checkpoint,
        Field{"checkpoint", kRun,
              "a checkpoint, where it is not the last one of --run"}
            .Path());
}

// Errors: kInvalidArgument unless one of the two is given.
absl::Status CheckRun(const RunOptions& options);

// The checkpoint to read.
std::string CheckpointPath(const RunOptions& options);

// The folder that it is in.
std::string RunFolder(const RunOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_RUN_OPTIONS_H_
