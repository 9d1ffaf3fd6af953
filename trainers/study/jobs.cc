#include "trainers/study/jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace gsg {
namespace {

constexpr int kNotStarted = 127;

struct Running {
  size_t job;
  absl::Time start;
};

// The signals that RunJobs waits for, blocked while this lives.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
      sigaddset(&set_, signal);
    }
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set_, &before_), 0);
  }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

  // The next of them.
  int Wait() const {
    int signal;
    do {
      signal = sigwaitinfo(&set_, nullptr);
    } while (signal < 0 && errno == EINTR);
    CHECK_GT(signal, 0) << std::strerror(errno);
    return signal;
  }

  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_;
  sigset_t before_;
};

// In the child: becomes the job. Only what a fork allows: no allocation.
[[noreturn]] void Become(const char* const* argv, const char* log, pid_t parent,
                         const sigset_t& signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNotStarted);  // it has died already
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
      dup2(out, 2) < 0) {
    _exit(kNotStarted);
  }
  close(in);
  close(out);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  execv(argv[0], const_cast<char* const*>(argv));
  const char* why = std::strerror(errno);
  for (const char* part : {"cannot start ", argv[0], ": ", why, "\n"}) {
    if (write(2, part, std::strlen(part)) < 0) break;
  }
  _exit(kNotStarted);
}

// Returns the process, or -1.
pid_t Start(const Job& job, const BlockedSignals& signals) {
  CHECK(!job.command.empty());
  std::vector<const char*> argv;
  for (const std::string& word : job.command) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  // What is in the buffers is this process's to write.
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Become(argv.data(), job.log.c_str(), parent, signals.before());
  }
  return child;
}

}  // namespace

int RunJobs(const std::vector<Job>& jobs, int64_t parallel,
            const JobHooks& hooks) {
  CHECK_GE(parallel, 1);
  const BlockedSignals signals;
  std::map<pid_t, Running> running;
  size_t next = 0;
  int interrupted = 0;

  const auto start_more = [&] {
    while (!interrupted && next < jobs.size() &&
           static_cast<int64_t>(running.size()) < parallel) {
      const size_t job = next++;
      if (hooks.on_start) hooks.on_start(job);
      const pid_t child = Start(jobs[job], signals);
      if (child > 0) {
        running[child] = {job, absl::Now()};
      } else if (hooks.on_end) {
        hooks.on_end(job, {kNotStarted, false, absl::ZeroDuration()});
      }
    }
  };
  const auto reap = [&] {
    int status;
    for (pid_t child; (child = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = running.find(child);
      if (found == running.end()) continue;
      const Running ended = found->second;
      running.erase(found);
      const int code =
          WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      if (hooks.on_end) {
        hooks.on_end(ended.job,
                     {code, interrupted != 0, absl::Now() - ended.start});
      }
    }
  };

  for (start_more(); !running.empty(); start_more()) {
    const int signal = signals.Wait();
    if (signal == SIGCHLD) {
      reap();
      continue;
    }
    for (const auto& item : running) {
      kill(item.first, interrupted ? SIGKILL : SIGTERM);
    }
    interrupted = signal;
  }
  return interrupted;
}

}  // namespace gsg
