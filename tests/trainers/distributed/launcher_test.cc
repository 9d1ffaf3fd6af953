#include "trainers/distributed/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "trainers/distributed/environment.h"

namespace gsg {
namespace {

// What a started process does: main() below calls it.
int Play(const std::string& role) {
  const absl::StatusOr<Placement> placement =
      ReadPlacement([](const char* name) { return std::getenv(name); });
  if (!placement.ok()) return 90;
  const int rank = placement->rank;
  if (role == "placement") {
    // Rank 0 alone has the socket that the port is of.
    const bool has_socket = fcntl(placement->socket, F_GETFD) != -1;
    return placement->size == 3 && placement->local_rank == rank &&
                   placement->local_size == 3 && placement->launcher != 0 &&
                   placement->master_address == "127.0.0.1" &&
                   placement->master_port > 0 && has_socket == (rank == 0)
               ? 0
               : 91;
  }
  if (role == "one fails") return rank == 1 ? 7 : kOtherRankExitCode;
  if (role == "others first") {
    if (rank == 1) usleep(300'000);
    return rank == 1 ? 7 : kOtherRankExitCode;
  }
  if (role == "all lose") return kOtherRankExitCode;
  if (role == "one is killed") {
    if (rank == 1) raise(SIGKILL);
    usleep(100'000);
    return kOtherRankExitCode;
  }
  if (role == "one hangs") {
    if (rank == 1) raise(SIGKILL);
    while (true) pause();
  }
  if (role == "stops") {
    signal(SIGINT, [](int) { _exit(128 + SIGINT); });
    if (rank == 0) kill(getppid(), SIGINT);
    while (true) pause();
  }
  return 92;
}

struct Outcome {
  int code;
  std::string said;
};

Outcome LaunchAs(const std::string& role, int processes = 3) {
  testing::internal::CaptureStderr();
  const int code = Launch("test", processes, {"test", role}, "Go on so.");
  return {code, testing::internal::GetCapturedStderr()};
}

TEST(LauncherTest, EachIsToldItsPlace) {
  const Outcome outcome = LaunchAs("placement");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.said, "");
}

TEST(LauncherTest, CodeOfTheOneThatFailed) {
  EXPECT_EQ(LaunchAs("one fails").code, 7);
  const Outcome outcome = LaunchAs("others first");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.said, "");  // it has spoken itself
}

TEST(LauncherTest, LostContact) {
  const Outcome outcome = LaunchAs("all lose");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.said,
            "test: the processes lost contact with each other, and the run "
            "ended. Go on so.\n");
}

TEST(LauncherTest, OneIsKilled) {
  const Outcome outcome = LaunchAs("one is killed");
  EXPECT_EQ(outcome.code, 128 + SIGKILL);
  EXPECT_NE(outcome.said.find("process 2 of 3 (rank 1, pid "),
            std::string::npos)
      << outcome.said;
  EXPECT_NE(outcome.said.find("signal 9"), std::string::npos);
  EXPECT_NE(outcome.said.find("Go on so.\n"), std::string::npos);
  EXPECT_EQ(outcome.said.find('\n'), outcome.said.size() - 1);
}

// Those that do not notice are killed after the ten seconds.
TEST(LauncherTest, NoneIsLeftBehind) {
  const Outcome outcome = LaunchAs("one hangs", 2);
  EXPECT_EQ(outcome.code, 128 + SIGKILL);
  EXPECT_NE(outcome.said.find("rank 1"), std::string::npos) << outcome.said;
  EXPECT_EQ(outcome.said.find('\n'), outcome.said.size() - 1);
}

TEST(LauncherTest, PassesSignalsOn) {
  const Outcome outcome = LaunchAs("stops");
  EXPECT_EQ(outcome.code, 128 + SIGINT);
  EXPECT_EQ(outcome.said, "");
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  if (std::getenv(gsg::kLaunchedVariable) != nullptr) return gsg::Play(argv[1]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
