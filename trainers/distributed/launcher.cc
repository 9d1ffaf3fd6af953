#include "trainers/distributed/launcher.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/distributed/environment.h"

extern char** environ;

namespace gsg {
namespace {

constexpr absl::Duration kGrace = absl::Seconds(10);
constexpr char kLoopback[] = "127.0.0.1";

// A socket bound to a free port of this machine. Rank 0 inherits it and listens
// there, so that no one can take the port in between.
struct MeetingPlace {
  int socket = -1;
  uint16_t port = 0;
};

absl::StatusOr<MeetingPlace> Bind() {
  MeetingPlace place;
  place.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (place.socket < 0 || bind(place.socket, generic, size) != 0 ||
      getsockname(place.socket, generic, &size) != 0) {
    return absl::ErrnoToStatus(errno, "--nproc: no port on this machine");
  }
  place.port = ntohs(address.sin_port);
  return place;
}

// This process's environment with `set` in the place of what it has.
std::vector<std::string> EnvironmentWith(
    const std::map<std::string, std::string>& set) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    if (set.count(std::string(text.substr(0, text.find('=')))) == 0) {
      result.emplace_back(text);
    }
  }
  for (const auto& [name, value] : set) {
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

class Processes {
 public:
  Processes(absl::string_view program, absl::string_view way_on)
      : program_(program), way_on_(way_on) {
    // Waited for below instead of delivered.
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
      sigaddset(&signals_, signal);
    }
    sigprocmask(SIG_BLOCK, &signals_, &mask_before_);
  }

  ~Processes() { sigprocmask(SIG_SETMASK, &mask_before_, nullptr); }

  absl::Status Start(int count, const std::vector<std::string>& arguments) {
    GSG_ASSIGN_OR_RETURN(const MeetingPlace place, Bind());
    absl::Status status;
    for (int rank = 0; rank < count && status.ok(); ++rank) {
      std::map<std::string, std::string> variables = {
          {"RANK", absl::StrCat(rank)},
          {"LOCAL_RANK", absl::StrCat(rank)},
          {"WORLD_SIZE", absl::StrCat(count)},
          {"LOCAL_WORLD_SIZE", absl::StrCat(count)},
          {"MASTER_ADDR", kLoopback},
          {"MASTER_PORT", absl::StrCat(place.port)},
          {kLaunchedVariable, absl::StrCat(getpid())}};
      if (rank == 0) {
        variables[kSocketVariable] = absl::StrCat(place.socket);
      }
      status = Spawn(rank, arguments, EnvironmentWith(variables),
                     rank == 0 ? place.socket : -1);
    }
    close(place.socket);
    return status;
  }

  void Signal(int signal) {
    for (const auto& [pid, rank] : running_) kill(pid, signal);
  }

  // Until all have ended.
  int Wait(int count) {
    while (!running_.empty()) {
      if (deadline_.has_value() && absl::Now() >= *deadline_) {
        Signal(SIGKILL);
        deadline_.reset();
        killed_late_ = true;
      }
      const timespec patience = {0, 200'000'000};
      const int signal = sigtimedwait(&signals_, nullptr, &patience);
      if (signal > 0 && signal != SIGCHLD) {
        passed_on_ = signal;
        Signal(signal);
      }
      int status;
      for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        Ended(pid, status, count);
      }
    }
    if (first_failure_.has_value()) return *first_failure_;
    if (!lost_contact_) return 0;
    absl::FPrintF(stderr,
                  "%s: the processes lost contact with each other, and the run "
                  "ended. %s\n",
                  program_, way_on_);
    return 1;
  }

 private:
  absl::Status Spawn(int rank, const std::vector<std::string>& arguments,
                     const std::vector<std::string>& environment,
                     int inherited) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // In a group of its own, or Ctrl-C in a terminal would reach a process
    // twice: from there and from here.
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &mask_before_);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (inherited >= 0) {
      // Onto itself: that clears close-on-exec.
      posix_spawn_file_actions_adddup2(&actions, inherited, inherited);
    }
    pid_t pid;
    const int error =
        posix_spawn(&pid, "/proc/self/exe", &actions, &attributes,
                    Pointers(arguments).data(), Pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      return absl::ErrnoToStatus(
          error, absl::StrCat("--nproc: cannot start process ", rank));
    }
    running_[pid] = rank;
    return absl::OkStatus();
  }

  void Ended(pid_t pid, int status, int count) {
    const auto found = running_.find(pid);
    if (found == running_.end()) return;
    const int rank = found->second;
    running_.erase(found);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      code = 128 + signal;
      if (!first_failure_.has_value() && !killed_late_ &&
          signal != passed_on_) {
        absl::FPrintF(
            stderr,
            "%s: process %d of %d (rank %d, pid %d) was killed by "
            "signal %d (%s%s), and the others were ended. %s\n",
            program_, rank + 1, count, rank, pid, signal, strsignal(signal),
            signal == SIGKILL ? "; too little memory does this" : "", way_on_);
      }
    } else if (code == 0 || code == 128 + SIGINT || code == 128 + SIGTERM) {
      // Done, or stopped with everything saved: rank 0 may still be at that.
      if (code != 0 && !first_failure_.has_value()) first_failure_ = code;
      return;
    }
    if (code == kOtherRankExitCode) {
      lost_contact_ = true;
    } else if (!killed_late_ && !first_failure_.has_value()) {
      first_failure_ = code;
    }
    if (!deadline_.has_value()) deadline_ = absl::Now() + kGrace;
  }

  const std::string program_;
  const std::string way_on_;
  sigset_t signals_;
  sigset_t mask_before_;
  std::map<pid_t, int> running_;  // to ranks
  std::optional<int> first_failure_;
  bool lost_contact_ = false;
  bool killed_late_ = false;
  int passed_on_ = 0;
  std::optional<absl::Time> deadline_;
};

}  // namespace

int Launch(absl::string_view program, int processes,
           const std::vector<std::string>& arguments,
           absl::string_view way_on) {
  Processes children(program, way_on);
  if (absl::Status s = children.Start(processes, arguments); !s.ok()) {
    children.Signal(SIGKILL);
    absl::FPrintF(stderr, "%s: %s\n", program, s.message());
    return 1;
  }
  return children.Wait(processes);
}

void EndWithLauncher(int launcher) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != launcher) raise(SIGTERM);
}

}  // namespace gsg
