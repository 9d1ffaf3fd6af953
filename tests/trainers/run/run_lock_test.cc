#include "trainers/run/run_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

TEST(RunLockTest, ASecondProgramIsToldWhoHasIt) {
  const std::string folder = testing::TempDir();
  absl::StatusOr<RunLock> first = RunLock::Take(folder);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = RunLock::Take(folder).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr(folder));
  EXPECT_THAT(std::string(second.message()), HasSubstr("--output_dir"));
  EXPECT_THAT(std::string(second.message()),
              HasSubstr(absl::StrCat("process ", getpid())));
}

TEST(RunLockTest, IsGivenBackAndMoves) {
  const std::string folder = testing::TempDir();
  {
    absl::StatusOr<RunLock> taken = RunLock::Take(folder);
    ASSERT_TRUE(taken.ok()) << taken.status();
    const RunLock moved = *std::move(taken);
    EXPECT_FALSE(RunLock::Take(folder).ok());
  }
  EXPECT_TRUE(RunLock::Take(folder).ok());
}

TEST(RunLockTest, TheKernelReleasesItWhenAProcessDies) {
  const std::string folder = testing::TempDir();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<RunLock> lock = RunLock::Take(folder);
    const char answer = lock.ok() ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(RunLock::Take(folder).ok());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(RunLock::Take(folder).ok());
}

TEST(RunLockTest, AFolderThatIsNotThereIsAnothersError) {
  EXPECT_TRUE(RunLock::Take("/no/such/folder").ok());
}

}  // namespace
}  // namespace gsg
