// Where a run begins, the same on all ranks.

#ifndef GSG_TRAINERS_RUN_START_H_
#define GSG_TRAINERS_RUN_START_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/distributed/world.h"
#include "trainers/image/dataset.h"
#include "trainers/run/resume.h"
#include "trainers/run/run_lock.h"
#include "trainers/weights/weight_file.h"

namespace gsg {

struct RunStart {
  RunLock lock;       // the root's
  ResumePoint point;  // its checkpoint is the root's alone
  bool resumes = false;
  std::string fitted;              // what --fit decided, on the root
  std::optional<Dataset> dataset;  // read for that
  // Steps are taken to see how long the run will be, before it starts.
  bool rehearses = false;
  // Of --init, unless the run resumes; the root's, from which the others get
  // their networks.
  std::optional<WeightFile> weights;
};

// As the root's command line and folder have it: the others need not see the
// folder, and what their own command lines say does not count. The folder of a
// run that is resumed is locked before it is read. Nothing is written.
// Errors: those of what is read; the world's.
absl::StatusOr<RunStart> StartOfRanks(const CommandLine& command_line,
                                      World& world);

// Makes the folder this run's, and writes config.json. On the root.
absl::Status BeginFolder(const Config& config, RunLock* lock);

absl::Status WriteConfig(const Config& config);

// Takes back what BeginFolder wrote for a run that ends before its first
// checkpoint, so that the folder is free for the next try. Of a run that was
// resumed nothing. On the root.
void AbandonFolder(const Config& config);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_START_H_
