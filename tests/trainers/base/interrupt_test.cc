#include "trainers/base/interrupt.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "gtest/gtest.h"

namespace gsg {
namespace {

// How a process ends, as waitpid has it, that gets two signals `pause`
// microseconds apart: by exit code 0 if it knows of the first and goes on.
int EndAfterTwo(useconds_t pause) {
  const pid_t child = fork();
  if (child == 0) {
    CatchInterrupts();
    std::raise(SIGINT);
    usleep(pause);
    std::raise(SIGINT);
    _exit(Interrupted() == SIGINT ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

TEST(InterruptTest, OneThatIsPassedOnAsWellIsOne) {
  EXPECT_EQ(EndAfterTwo(0), 0);
}

TEST(InterruptTest, ALaterOneEndsTheProcess) {
  const int status = EndAfterTwo(1100000);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

}  // namespace
}  // namespace gsg
