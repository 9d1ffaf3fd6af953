#include "trainers/run/read_run.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ReadRunTest : public testing::Test {
 protected:
  ReadRunTest()
      : folder_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Write("config.json", "{\"method\": \"simsiam\", \"epochs\": 2}");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(absl::StrCat(folder_, "/", name)) << text;
  }

  std::string Damage() {
    const absl::Status status = ReadRun(folder_).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(
        std::string(status.message()),
        StartsWith(absl::StrCat("the run in ", folder_, " cannot be read: ")));
    return std::string(status.message());
  }

  const std::string folder_;
};

TEST_F(ReadRunTest, OneThatGoesOn) {
  Write("metrics.jsonl",
        "{\"epoch\": 1, \"step\": 8, \"loss\": -0.5, \"knn_top1\": null}\n"
        "{\"epoch\": 2, \"st");
  const absl::StatusOr<RunSummary> run = ReadRun(folder_);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->name, "OneThatGoesOn");
  ASSERT_EQ(run->epochs.size(), 1u);
  EXPECT_EQ(run->epochs[0].step, 8);
  EXPECT_EQ(run->epochs[0].loss, -0.5);
}

TEST_F(ReadRunTest, NoRun) {
  std::filesystem::remove(folder_ + "/config.json");
  EXPECT_TRUE(absl::IsNotFound(ReadRun(folder_).status()));
}

// Anything that goes down as deep would leave the stack.
TEST_F(ReadRunTest, NestedTooDeeply) {
  const std::string deep =
      absl::StrCat("{\"epochs\": ", std::string(1000000, '['),
                   std::string(1000000, ']'), "}");
  Write("config.json", deep);
  EXPECT_THAT(Damage(), HasSubstr("nested too deeply"));
  Write("config.json", "{}");
  Write("metrics.jsonl", deep + "\n");
  EXPECT_THAT(Damage(), HasSubstr("nested too deeply"));
}

TEST_F(ReadRunTest, NumbersThatAreNotWhole) {
  for (const char* step : {"1e300", "0.5", "18446744073709551615", "\"8\""}) {
    Write("metrics.jsonl", absl::StrCat("{\"step\": ", step, "}\n"));
    EXPECT_THAT(Damage(), HasSubstr("step must be a whole number")) << step;
  }
}

TEST_F(ReadRunTest, NotJson) {
  Write("metrics.jsonl", "epoch 1\n");
  EXPECT_THAT(Damage(), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace gsg
