// Programs that this one starts and waits for.

#ifndef GSG_TRAINERS_BASE_CHILDREN_H_
#define GSG_TRAINERS_BASE_CHILDREN_H_

#include <signal.h>
#include <sys/types.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gsg {

// The exit code of a child whose program cannot be executed.
inline constexpr int kNotStarted = 127;

struct ChildProgram {
  std::string path;
  std::vector<std::string> arguments;  // argv, the program's name first
  // Set in the child beside this process's environment.
  std::map<std::string, std::string> environment;
  // If not empty, stdin is /dev/null, and stdout and stderr are appended to
  // this file.
  std::string log;
  int inherited_fd =
      -1;  // stays open in the child although it is close-on-exec
};

struct ChildEnd {
  pid_t pid = 0;
  int exit_code = 0;  // 128 + signal if a signal ended it
  int signal = 0;     // that signal, or 0
};

// The children of one program of one thread. While this lives, SIGINT, SIGTERM,
// SIGHUP and SIGCHLD are blocked: Wait returns them.
//
// A child is in a process group of its own, so that Ctrl-C in a terminal does
// not reach it. It gets SIGTERM when this process dies.
class Children {
 public:
  Children();
  ~Children();

  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Errors: fork's. A program that cannot be executed says why on its stderr
  // and ends with kNotStarted.
  absl::StatusOr<pid_t> Start(const ChildProgram& program);

  struct Event {
    int signal = 0;  // SIGINT, SIGTERM or SIGHUP to this process, or 0
    std::vector<ChildEnd> ended;
  };
  // Returns after a signal or the end of a child, or with neither after
  // `patience`.
  Event Wait(absl::Duration patience);

  // Sends `signal` to all that run.
  void Signal(int signal) const;

  int running() const { return running_.size(); }

 private:
  sigset_t signals_;
  sigset_t signals_before_;
  std::set<pid_t> running_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_CHILDREN_H_
