#include "trainers/run/metrics_log.h"

#include <sys/resource.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

std::string Epoch(int64_t epoch) {
  return absl::StrCat("{\"epoch\":", epoch, "}");
}

class MetricsLogTest : public ::testing::Test {
 protected:
  MetricsLogTest()
      : path_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name(),
            ".jsonl")) {
    std::remove(path_.c_str());
  }
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string Contents() {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  const std::string path_;
};

TEST_F(MetricsLogTest, EachRecordIsInTheFileAtOnce) {
  auto log = MetricsLog::Open(path_, 0);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_TRUE(log->Append(Epoch(1)).ok());
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n");
  MetricsLog moved = *std::move(log);
  ASSERT_TRUE(moved.Append(Epoch(2)).ok());
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n{\"epoch\":2}\n");
}

TEST_F(MetricsLogTest, ResumeKeepsWhatTheCheckpointKnows) {
  Write("{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n");
  auto log = MetricsLog::Open(path_, 2);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n{\"epoch\":2}\n");
  ASSERT_TRUE(log->Append(Epoch(30)).ok());
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":30}\n");
}

TEST_F(MetricsLogTest, AnIncompleteLastLineIsDropped) {
  Write("{\"epoch\":1}\n{\"epoch\":2}\n{\"epo");
  ASSERT_TRUE(MetricsLog::Open(path_, 2).ok());
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n{\"epoch\":2}\n");
}

TEST_F(MetricsLogTest, AnIncompleteLineIsNotARecord) {
  const std::string contents = "{\"epoch\":1}\n{\"epoch\":2}";
  Write(contents);
  const auto log = MetricsLog::Open(path_, 2);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(
      log.status().message(),
      absl::StrCat(path_, " has 1 records; the checkpoint was saved after 2"));
  EXPECT_EQ(Contents(), contents);  // Left as it was.
}

TEST_F(MetricsLogTest, ANewRunStartsEmpty) {
  Write("{\"epoch\":1}\n");
  ASSERT_TRUE(MetricsLog::Open(path_, 0).ok());
  EXPECT_EQ(Contents(), "");
}

TEST(MetricsLogErrorTest, NamesTheFile) {
  const auto log = MetricsLog::Open("/no/such/metrics.jsonl", 0);
  EXPECT_EQ(log.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(log.status().message(),
            "cannot open /no/such/metrics.jsonl: No such file or directory");
}

// A limit on the size of files stands for a full disk.
TEST_F(MetricsLogTest, AFailedWriteIsReportedAndDroppedByTheNextOpen) {
  auto log = MetricsLog::Open(path_, 0);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_TRUE(log->Append(Epoch(1)).ok());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 16;  // The first record has 12 bytes.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = log->Append(Epoch(2));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_EQ(status.message(),
            absl::StrCat("cannot write ", path_, ": File too large"));
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n{\"ep");
  ASSERT_TRUE(MetricsLog::Open(path_, 1).ok());
  EXPECT_EQ(Contents(), "{\"epoch\":1}\n");
}

}  // namespace
}  // namespace gsg
