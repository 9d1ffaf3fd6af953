// Programs run side by side.

#ifndef GSG_TRAINERS_STUDY_JOBS_H_
#define GSG_TRAINERS_STUDY_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace gsg {

struct Job {
  std::vector<std::string> command;  // of it the first is the path
  std::string log;  // stdout and stderr go to the end of this file
};

struct JobEnd {
  int exit_code = 0;  // 128 + signal if a signal ended it; 127: not started
  bool told_to_stop = false;  // by RunJobs, after a signal
  absl::Duration time;
};

struct JobHooks {
  std::function<void(size_t job)> on_start;
  std::function<void(size_t job, const JobEnd& end)> on_end;
};

// Runs the jobs in order, `parallel` >= 1 at once, each in a process group of
// its own. Returns 0 when all have ended, whatever their exit codes.
//
// SIGINT, SIGTERM and SIGHUP: starts no more jobs, sends SIGTERM to those that
// run, waits for them and returns the signal. A second such signal kills them.
// If this process dies the jobs get SIGTERM.
//
// For programs of one thread, which blocks these signals meanwhile.
int RunJobs(const std::vector<Job>& jobs, int64_t parallel,
            const JobHooks& hooks);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_JOBS_H_
