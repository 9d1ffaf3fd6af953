#include "trainers/run/metrics_log.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

EpochRecord Epoch(int64_t epoch) {
  EpochRecord record;
  record.epoch = epoch;
  return record;
}

std::string Line(int64_t epoch) {
  return absl::StrCat(MetricsLine(Epoch(epoch)), "\n");
}

class MetricsLogTest : public ::testing::Test {
 protected:
  MetricsLogTest()
      : folder_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())),
        path_(absl::StrCat(folder_, "/metrics.jsonl")) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string Contents() {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  absl::StatusOr<MetricsLog> Open(int64_t keep) {
    return MetricsLog::Open(folder_, keep, /*tensorboard=*/false);
  }

  const std::string folder_;
  const std::string path_;
};

TEST_F(MetricsLogTest, EachRecordIsInTheFileAtOnce) {
  auto log = Open(0);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_TRUE(log->Append(Epoch(1)).ok());
  EXPECT_EQ(Contents(), Line(1));
  MetricsLog moved = *std::move(log);
  ASSERT_TRUE(moved.Append(Epoch(2)).ok());
  EXPECT_EQ(Contents(), Line(1) + Line(2));
}

TEST_F(MetricsLogTest, ResumeKeepsWhatTheCheckpointKnows) {
  Write(Line(1) + Line(2) + Line(3));
  auto log = Open(2);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(Contents(), Line(1) + Line(2));
  ASSERT_TRUE(log->Append(Epoch(30)).ok());
  EXPECT_EQ(Contents(), Line(1) + Line(2) + Line(30));
}

TEST_F(MetricsLogTest, AnIncompleteLastLineIsDropped) {
  Write(Line(1) + Line(2) + "{\"epo");
  ASSERT_TRUE(Open(2).ok());
  EXPECT_EQ(Contents(), Line(1) + Line(2));
}

TEST_F(MetricsLogTest, AnIncompleteLineIsNotARecord) {
  const std::string contents = Line(1) + "{\"epoch\":2}";
  Write(contents);
  const auto log = Open(2);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(
      log.status().message(),
      absl::StrCat(path_, " has 1 records; the checkpoint was saved after 2"));
  EXPECT_EQ(Contents(), contents);  // Left as it was.
}

TEST_F(MetricsLogTest, ANewRunStartsEmpty) {
  Write(Line(1));
  ASSERT_TRUE(Open(0).ok());
  EXPECT_EQ(Contents(), "");
}

TEST(MetricsLogErrorTest, NamesTheFile) {
  const auto log = MetricsLog::Open("/no/such", 0, false);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(log.status().message(),
            "cannot open /no/such/metrics.jsonl: No such file or directory");
}

// A limit on the size of files stands for a full disk.
TEST_F(MetricsLogTest, AFailedWriteIsReportedAndDroppedByTheNextOpen) {
  auto log = Open(0);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_TRUE(log->Append(Epoch(1)).ok());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = Line(1).size() + 4;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = log->Append(Epoch(2));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_EQ(status.message(),
            absl::StrCat("cannot write ", path_, ": File too large"));
  EXPECT_EQ(Contents(), Line(1) + Line(2).substr(0, 4));
  ASSERT_TRUE(Open(1).ok());
  EXPECT_EQ(Contents(), Line(1));
}

}  // namespace
}  // namespace gsg
