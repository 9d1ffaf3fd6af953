#include "trainers/study/jobs.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunJobsTest : public testing::Test {
 protected:
  RunJobsTest() {
    folder_ = absl::StrCat(
        testing::TempDir(), "/jobs_",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    hooks_.on_start = [this](size_t) { most_ = std::max(most_, ++running_); };
    hooks_.on_end = [this](size_t job, const JobEnd& end) {
      --running_;
      ends_.resize(std::max(ends_.size(), job + 1));
      ends_[job] = end;
    };
  }

  Job Shell(const std::string& script) {
    return {{"/bin/sh", "-c", script}, folder_ + "/log"};
  }

  std::string Log() {
    std::ifstream file(folder_ + "/log");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::vector<int> Codes() {
    std::vector<int> codes;
    for (const JobEnd& end : ends_) codes.push_back(end.exit_code);
    return codes;
  }

  std::string folder_;
  JobHooks hooks_;
  int running_ = 0;
  int most_ = 0;
  std::vector<JobEnd> ends_;
};

TEST_F(RunJobsTest, RunsAllWhateverTheirCodes) {
  const int signal = RunJobs({Shell("echo out; echo err >&2"), Shell("exit 3"),
                              Shell("kill -KILL $$"), Shell("exit 0")},
                             1, hooks_);
  EXPECT_EQ(signal, 0);
  EXPECT_THAT(Codes(), ElementsAre(0, 3, 128 + SIGKILL, 0));
  EXPECT_EQ(most_, 1);
  EXPECT_FALSE(ends_[2].told_to_stop);
  EXPECT_EQ(Log(), "out\nerr\n");
}

// Each waits for a file that the other makes: alone neither would end.
TEST_F(RunJobsTest, RunsSideBySide) {
  const auto meet = [&](const std::string& mine, const std::string& other) {
    return Shell(absl::StrCat("cd ", folder_, "; touch ", mine, "; until [ -e ",
                              other,
                              " ]; do sleep 0.01; "
                              "done"));
  };
  EXPECT_EQ(
      RunJobs({meet("a", "b"), meet("b", "a"), Shell("exit 1")}, 2, hooks_), 0);
  EXPECT_THAT(Codes(), ElementsAre(0, 0, 1));
  EXPECT_EQ(most_, 2);
}

TEST_F(RunJobsTest, WhatCannotStartSaysSo) {
  const Job job = {{"/nonexistent/program"}, folder_ + "/log"};
  EXPECT_EQ(RunJobs({job, Shell("exit 0")}, 1, hooks_), 0);
  EXPECT_THAT(Codes(), ElementsAre(127, 0));
  EXPECT_THAT(Log(), HasSubstr("cannot start /nonexistent/program: No such"));
}

// A job that sends its parent a signal, then waits to be told to stop. What
// ends on its own has not been told to.
TEST_F(RunJobsTest, ASignalStopsThemCleanly) {
  const std::string saves =
      absl::StrCat("trap 'echo saved; exit 143' TERM; ", "touch ", folder_,
                   "/ready; while :; do sleep 0.01; done");
  const std::string interrupts =
      absl::StrCat("trap 'echo saved; exit 143' TERM; until [ -e ", folder_,
                   "/ready ]; do sleep 0.01; done; kill -INT $PPID; "
                   "while :; do sleep 0.01; done");
  const int signal = RunJobs(
      {Shell("exit 0"), Shell(saves), Shell(interrupts), Shell("echo never")},
      2, hooks_);
  EXPECT_EQ(signal, SIGINT);
  EXPECT_THAT(Codes(), ElementsAre(0, 143, 143));
  EXPECT_FALSE(ends_[0].told_to_stop);
  EXPECT_TRUE(ends_[1].told_to_stop);
  EXPECT_EQ(Log(), "saved\nsaved\n");
}

TEST_F(RunJobsTest, ASecondSignalKills) {
  const int signal =
      RunJobs({Shell("trap 'kill -HUP $PPID' TERM; kill -TERM $PPID; "
                     "while :; do sleep 0.01; done")},
              1, hooks_);
  EXPECT_EQ(signal, SIGHUP);
  EXPECT_THAT(Codes(), ElementsAre(128 + SIGKILL));
}

// As Ctrl-C does: the terminal's signal goes to the foreground process group.
TEST_F(RunJobsTest, AJobHasAProcessGroupOfItsOwn) {
  EXPECT_EQ(
      RunJobs({Shell("ps -o pgid= -p $$ | tr -d ' '; echo $$")}, 1, hooks_), 0);
  const std::string log = Log();
  const size_t line = log.find('\n');
  ASSERT_NE(line, log.npos);
  EXPECT_EQ(log.substr(0, line), log.substr(line + 1, line));
}

}  // namespace
}  // namespace gsg
