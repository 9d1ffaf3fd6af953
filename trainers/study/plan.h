#ifndef GSG_TRAINERS_STUDY_PLAN_H_
#define GSG_TRAINERS_STUDY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/study/study.h"

namespace gsg {

// A run that a study wants, and how far it is.
struct PlannedRun {
  enum class State {
    kNew,       // nothing is there
    kStopped,   // begun; `command` goes on with it
    kFinished,  // has its result
  };
  size_t arm = 0;   // index into Study::arms
  size_t seed = 0;  // index into Study::seeds
  std::string folder;
  State state = State::kNew;
  std::vector<std::string> command;  // empty if finished
};

struct PlanOptions {
  std::string runs_dir;  // where the folders of runs are, or will be
  std::function<std::string(absl::string_view method)> trainer;  // its path
  int64_t threads = 1;                                           // for each run
};

// The runs of a study, seed by seed, so that every arm soon has one. A run's
// folder is <arm>-<key>-seed<seed>, the key that of run_key.h; one with the
// same key and seed is the same run, whatever the arm is called there.
// Errors: kFailedPrecondition, naming the folder, if a run lies there whose
// config is another.
absl::StatusOr<std::vector<PlannedRun>> PlanRuns(const Study& study,
                                                 const PlanOptions& options);

// The command as one would type it in a shell.
std::string ShellCommand(const std::vector<std::string>& command);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_PLAN_H_
