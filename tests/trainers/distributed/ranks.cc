#include "tests/trainers/distributed/ranks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "trainers/distributed/environment.h"
#include "trainers/distributed/world.h"

namespace gsg {
namespace {

constexpr int kCannotJoin = 99;

// A socket bound to a free port, which rank 0 will listen on.
int BoundSocket(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd, generic, size), 0);
  EXPECT_EQ(getsockname(fd, generic, &size), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

[[noreturn]] void BeRank(const Placement& placement, absl::Duration timeout,
                         const std::function<std::string(World&)>& body,
                         int out) {
  int code = kCannotJoin;
  {
    absl::StatusOr<std::unique_ptr<World>> world =
        World::Join(placement, timeout);
    if (world.ok()) {
      const std::string text = body(**world);
      FILE* file = fdopen(out, "w");
      std::fwrite(text.data(), 1, text.size(), file);
      std::fclose(file);
      code = testing::Test::HasFailure() ? 1 : 0;
    } else {
      std::fprintf(stderr, "%s\n", world.status().ToString().c_str());
    }
  }
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

std::vector<RankOutcome> RunRanks(
    int size, const std::function<std::string(World&)>& body,
    absl::Duration timeout) {
  uint16_t port;
  const int socket = BoundSocket(&port);
  std::fflush(nullptr);
  std::vector<pid_t> pids;
  std::vector<int> pipes;
  for (int rank = 0; rank < size; ++rank) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      Placement placement;
      placement.rank = rank;
      placement.size = size;
      placement.master_address = "127.0.0.1";
      placement.master_port = port;
      placement.launcher = getppid();
      if (rank == 0) {
        placement.socket = socket;
      } else {
        close(socket);
      }
      BeRank(placement, timeout, body, ends[1]);
    }
    close(ends[1]);
    pids.push_back(pid);
    pipes.push_back(ends[0]);
  }
  close(socket);
  std::vector<RankOutcome> outcomes(size);
  for (int rank = 0; rank < size; ++rank) {
    char buffer[4096];
    for (ssize_t n; (n = read(pipes[rank], buffer, sizeof(buffer))) > 0;) {
      outcomes[rank].text.append(buffer, n);
    }
    close(pipes[rank]);
    int status;
    EXPECT_EQ(waitpid(pids[rank], &status, 0), pids[rank]);
    outcomes[rank].code =
        WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return outcomes;
}

std::vector<std::vector<double>> NumbersOfRanks(
    int size, const std::function<std::vector<double>(World&)>& body) {
  std::vector<std::vector<double>> result;
  for (const RankOutcome& outcome : RunRanks(size, [&](World& world) {
         const std::vector<double> numbers = body(world);
         return std::string(reinterpret_cast<const char*>(numbers.data()),
                            numbers.size() * sizeof(double));
       })) {
    EXPECT_EQ(outcome.code, 0) << "rank " << result.size();
    std::vector<double>& numbers =
        result.emplace_back(outcome.text.size() / sizeof(double));
    std::memcpy(numbers.data(), outcome.text.data(),
                numbers.size() * sizeof(double));
  }
  return result;
}

}  // namespace gsg
