#include "trainers/base/children.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

extern char** environ;

namespace gsg {
namespace {

std::vector<std::string> EnvironmentOf(const ChildProgram& program) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    if (program.environment.count(
            std::string(text.substr(0, text.find('=')))) == 0) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : program.environment) {
    result.push_back(absl::StrCat(name, "=", value));
  }
  return result;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// In the child: becomes the program. Only what a fork allows: no allocation.
[[noreturn]] void Become(const ChildProgram& program, char* const* arguments,
                         char* const* environment, pid_t parent,
                         const sigset_t& signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kNotStarted);  // it has died already
  if (!program.log.empty()) {
    const int in = open("/dev/null", O_RDONLY);
    const int out =
        open(program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
        dup2(out, 2) < 0) {
      _exit(kNotStarted);
    }
    close(in);
    close(out);
  }
  if (program.inherited_fd >= 0) fcntl(program.inherited_fd, F_SETFD, 0);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  execve(program.path.c_str(), arguments, environment);
  const char* why = std::strerror(errno);
  for (const char* part :
       {"cannot start ", program.path.c_str(), ": ", why, "\n"}) {
    if (write(2, part, std::strlen(part)) < 0) break;
  }
  _exit(kNotStarted);
}

}  // namespace

Children::Children() {
  sigemptyset(&signals_);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals_, signal);
  }
  sigprocmask(SIG_BLOCK, &signals_, &signals_before_);
}

Children::~Children() { sigprocmask(SIG_SETMASK, &signals_before_, nullptr); }

absl::StatusOr<pid_t> Children::Start(const ChildProgram& program) {
  const std::vector<std::string> environment = EnvironmentOf(program);
  const std::vector<char*> argv = Pointers(program.arguments);
  const std::vector<char*> envp = Pointers(environment);
  const pid_t parent = getpid();
  // What is in the buffers is this process's to write.
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Become(program, argv.data(), envp.data(), parent, signals_before_);
  }
  if (child < 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot start ", program.path));
  }
  running_.insert(child);
  return child;
}

Children::Event Children::Wait(absl::Duration patience) {
  const timespec timeout = absl::ToTimespec(patience);
  const int signal = patience == absl::InfiniteDuration()
                         ? sigwaitinfo(&signals_, nullptr)
                         : sigtimedwait(&signals_, nullptr, &timeout);
  Event event;
  if (signal > 0 && signal != SIGCHLD) event.signal = signal;
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (running_.erase(pid) == 0) continue;
    ChildEnd end;
    end.pid = pid;
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end.exit_code = end.signal != 0 ? 128 + end.signal : WEXITSTATUS(status);
    event.ended.push_back(end);
  }
  return event;
}

void Children::Signal(int signal) const {
  for (const pid_t pid : running_) kill(pid, signal);
}

}  // namespace gsg
