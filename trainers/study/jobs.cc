#include "trainers/study/jobs.h"

#include <signal.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/base/children.h"

namespace gsg {
namespace {

struct Running {
  size_t job;
  absl::Time start;
};

ChildProgram ProgramOf(const Job& job) {
  CHECK(!job.command.empty());
  ChildProgram program;
  program.path = job.command.front();
  program.arguments = job.command;
  program.log = job.log;
  return program;
}

}  // namespace

int RunJobs(const std::vector<Job>& jobs, int64_t parallel,
            const JobHooks& hooks) {
  CHECK_GE(parallel, 1);
  Children children;
  std::map<pid_t, Running> running;
  size_t next = 0;
  int interrupted = 0;

  const auto start_more = [&] {
    while (!interrupted && next < jobs.size() &&
           children.running() < parallel) {
      const size_t job = next++;
      if (hooks.on_start) hooks.on_start(job);
      const absl::StatusOr<pid_t> child = children.Start(ProgramOf(jobs[job]));
      if (child.ok()) {
        running[*child] = {job, absl::Now()};
      } else if (hooks.on_end) {
        hooks.on_end(job, {kNotStarted, false, absl::ZeroDuration()});
      }
    }
  };

  for (start_more(); children.running() > 0; start_more()) {
    const Children::Event event = children.Wait(absl::InfiniteDuration());
    for (const ChildEnd& end : event.ended) {
      const Running& job = running.at(end.pid);
      if (hooks.on_end) {
        hooks.on_end(job.job, {end.exit_code, interrupted != 0,
                               absl::Now() - job.start});
      }
      running.erase(end.pid);
    }
    if (event.signal != 0) {
      children.Signal(interrupted ? SIGKILL : SIGTERM);
      interrupted = event.signal;
    }
  }
  return interrupted;
}

}  // namespace gsg
