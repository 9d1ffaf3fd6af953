#include "trainers/distributed/launcher.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/children.h"
#include "trainers/distributed/environment.h"

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

class Processes {
 public:
  Processes(absl::string_view program, absl::string_view way_on)
      : program_(program), way_on_(way_on) {}

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
      ChildProgram child;
      child.path = "/proc/self/exe";
      child.arguments = arguments;
      child.environment = std::move(variables);
      child.inherited_fd = rank == 0 ? place.socket : -1;
      const absl::StatusOr<pid_t> pid = children_.Start(child);
      if (pid.ok()) ranks_[*pid] = rank;
      status = pid.status();
    }
    close(place.socket);
    return status;
  }

  void Kill() const { children_.Signal(SIGKILL); }

  // Until all have ended.
  int Wait(int count) {
    while (children_.running() > 0) {
      if (deadline_.has_value() && absl::Now() >= *deadline_) {
        children_.Signal(SIGKILL);
        deadline_.reset();
        killed_late_ = true;
      }
      const Children::Event event = children_.Wait(absl::Milliseconds(200));
      if (event.signal != 0) {
        passed_on_ = event.signal;
        children_.Signal(event.signal);
      }
      for (const ChildEnd& end : event.ended) Ended(end, count);
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
  void Ended(const ChildEnd& end, int count) {
    const int code = end.exit_code;
    if (end.signal != 0) {
      if (!first_failure_.has_value() && !killed_late_ &&
          end.signal != passed_on_) {
        const int rank = ranks_.at(end.pid);
        absl::FPrintF(
            stderr,
            "%s: process %d of %d (rank %d, pid %d) was killed by "
            "signal %d (%s%s), and the others were ended. %s\n",
            program_, rank + 1, count, rank, end.pid, end.signal,
            strsignal(end.signal),
            end.signal == SIGKILL ? "; too little memory does this" : "",
            way_on_);
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
  Children children_;
  std::map<pid_t, int> ranks_;
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
    children.Kill();
    absl::FPrintF(stderr, "%s: %s\n", program, s.message());
    return 1;
  }
  return children.Wait(processes);
}

}  // namespace gsg
