#include "trainers/study/plan.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gsg_core/distance.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/config/resume.h"
#include "trainers/study/run_key.h"
#include "trainers/study/study.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using State = PlannedRun::State;

Study TwoArms() {
  return *ParseStudy(R"json({"title": "T", "arms": [
      {"name": "plain (SimSiam)", "method": "simsiam"},
      {"name": "cosine", "distance": "cosine"}], "seeds": [0, 4]
})json");
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    options_.runs_dir = absl::StrCat(
        testing::TempDir(), "/",
        testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(options_.runs_dir);
    std::filesystem::create_directories(options_.runs_dir);
    options_.trainer = [](absl::string_view method) {
      return absl::StrCat("/bin/", method);
    };
    options_.threads = 2;
  }

  std::vector<PlannedRun> Plan(const Study& study) {
    absl::StatusOr<std::vector<PlannedRun>> runs = PlanRuns(study, options_);
    EXPECT_TRUE(runs.ok()) << runs.status();
    return *std::move(runs);
  }

  // Leaves what a run of arm `a` leaves.
  void Leave(const std::string& folder, const Arm& arm, int64_t seed,
             bool finished) {
    std::filesystem::create_directories(folder);
    Config config = arm.config;
    config.seed = seed;
    config.output_dir = folder;
    config.threads = 7;
    std::ofstream(folder + "/config.json") << ToJson(config);
    if (finished) std::ofstream(folder + "/result.json") << "{}";
  }

  PlanOptions options_;
};

TEST_F(PlanTest, EveryArmComesBeforeTheNextSeed) {
  const std::vector<PlannedRun> runs = Plan(TwoArms());
  ASSERT_EQ(runs.size(), 4u);
  EXPECT_EQ(runs[1].arm, 1u);
  EXPECT_EQ(runs[1].seed, 0u);
  EXPECT_EQ(runs[2].arm, 0u);
  EXPECT_EQ(runs[2].seed, 1u);
  EXPECT_EQ(runs[0].state, State::kNew);
  EXPECT_THAT(std::filesystem::path(runs[2].folder).filename().string(),
              MatchesRegex("plain_SimSiam-[0-9a-f][0-9a-f]*-seed4"));
  EXPECT_THAT(runs[3].command,
              ElementsAre("/bin/simsiam_gsg", "--distance=cosine", "--seed=4",
                          "--threads=2", "--output_dir=" + runs[3].folder));
}

TEST_F(PlanTest, GoesOnWithWhatIsThere) {
  const Study study = TwoArms();
  const std::vector<PlannedRun> before = Plan(study);
  Leave(before[0].folder, study.arms[0], 0, /*finished=*/true);
  Leave(before[3].folder, study.arms[1], 4, /*finished=*/false);
  const std::vector<PlannedRun> runs = Plan(study);
  EXPECT_EQ(runs[0].state, State::kFinished);
  EXPECT_TRUE(runs[0].command.empty());
  EXPECT_EQ(runs[1].state, State::kNew);
  EXPECT_EQ(runs[3].state, State::kStopped);
  EXPECT_THAT(runs[3].command,
              ElementsAre("/bin/simsiam_gsg", "--resume", "--threads=2",
                          "--output_dir=" + runs[3].folder));
}

// Another study calls the arm otherwise, and its recipe too.
TEST_F(PlanTest, TheSameRunHasOneFolder) {
  const Study study = TwoArms();
  const std::string folder = Plan(study)[1].folder;
  Leave(folder, study.arms[1], 0, /*finished=*/true);
  const absl::StatusOr<Study> other = ParseStudy(R"({"title": "O",
      "grid": {"distance": ["euclidean", "cosine"]}, "seeds": [0]})");
  ASSERT_TRUE(other.ok());
  const std::vector<PlannedRun> runs = Plan(*other);
  EXPECT_EQ(runs[0].state, State::kNew);
  EXPECT_EQ(runs[1].state, State::kFinished);
  EXPECT_EQ(runs[1].folder, folder);
}

TEST_F(PlanTest, RefusesAFolderWithAnotherRun) {
  const Study study = TwoArms();
  const std::string folder = Plan(study)[0].folder;
  Arm other = study.arms[0];
  other.config.epochs = 77;
  Leave(folder, other, 0, /*finished=*/true);
  const absl::Status status = PlanRuns(study, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another epochs"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder));
  std::ofstream(folder + "/config.json") << R"({"from_the_future": 1})";
  EXPECT_THAT(std::string(PlanRuns(study, options_).status().message()),
              HasSubstr("from_the_future"));
}

// The trainer notes of which file its weights were.
TEST_F(PlanTest, ARunFromWeightsIsTheStudys) {
  const absl::StatusOr<Study> study = ParseStudy(R"({"title": "W",
      "base": {"init": "/weights.pth"},
      "grid": {"distance": ["euclidean"]}, "seeds": [0]})");
  ASSERT_TRUE(study.ok()) << study.status();
  Arm run = study->arms[0];
  run.config.init_sha256 = "1234";
  Leave(Plan(*study)[0].folder, run, 0, /*finished=*/true);
  EXPECT_EQ(Plan(*study)[0].state, State::kFinished);
  Study other = *study;
  other.arms[0].config.init_sha256 = "5678";
  EXPECT_EQ(Plan(other)[0].state, State::kNew);
}

TEST(RunKeyTest, IsOfWhatDecidesTheRun) {
  const Config config;
  const std::string key = RunKey(config);
  EXPECT_THAT(key, MatchesRegex("[0-9a-f]*"));
  EXPECT_EQ(key.size(), 8u);

  Config same = config;
  same.seed = 9;
  same.threads = 3;
  same.output_dir = "x";
  same.loader_threads = 8;
  same.recipe = "other";
  EXPECT_EQ(RunKey(same), key);
  EXPECT_THAT(DecidingDifferences(config, same), ElementsAre("seed"));

  Config steps = config;
  steps.max_steps = 10;
  EXPECT_NE(RunKey(steps), key);
  Config method = config;
  method.method = "byol";
  EXPECT_NE(RunKey(method), key);
  EXPECT_THAT(DecidingDifferences(steps, method),
              ElementsAre("method", "max_steps"));
}

TEST(RunKeyTest, WhatHasNoEffectDoesNotCount) {
  Config config;
  config.method = "simsiam";
  Config other = config;
  other.loss.distance = Distance::kCosine;
  EXPECT_EQ(RunKey(other), RunKey(config));
  EXPECT_TRUE(DecidingDifferences(config, other).empty());
  config.method = other.method = "simsiam_gsg";
  EXPECT_NE(RunKey(other), RunKey(config));
  EXPECT_THAT(DecidingDifferences(config, other), ElementsAre("distance"));
  // Of use in one of the two.
  other = config;
  other.predictor = "none";
  other.predictor_hidden = 7;
  EXPECT_THAT(DecidingDifferences(config, other),
              ElementsAre("predictor", "predictor_hidden"));
}

// A config.json of a version that did not have all fields yet.
TEST(ReadRunConfigTest, WhatIsNotThereHasItsDefault) {
  const absl::StatusOr<Config> config =
      ReadRunConfig(R"({"method": "byol", "epochs": 3})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->method, "byol");
  EXPECT_EQ(config->epochs, 3);
  EXPECT_EQ(config->batch_size, Config().batch_size);
  EXPECT_FALSE(ReadRunConfig(R"({"epochs": 3})").ok());
  EXPECT_FALSE(ReadRunConfig("").ok());
}

TEST(ShellCommandTest, QuotesWhatAShellWouldChange) {
  EXPECT_EQ(ShellCommand({"/bin/a", "--b=c_d-1.5", "e f", "it's", ""}),
            "/bin/a --b=c_d-1.5 'e f' 'it'\\''s' ''");
}

}  // namespace
}  // namespace gsg
