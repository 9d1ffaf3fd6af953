#include "trainers/study/study.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gsg_core/distance.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/study/metric.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kGrid[] = R"({
  "title": "T", "question": "Q?",
  "base": {"recipe": "fashion_mnist", "epochs": 2},
  "grid": {"distance": ["euclidean", "cosine"], "batch_size": [64, 128]},
  "baseline": "cosine batch_size=64",
  "seeds": [3, 1],
  "metrics": ["loss", "minutes"]
})";

std::string Message(const std::string& text,
                    const StudyOverrides& overrides = {}) {
  const absl::StatusOr<Study> study = ParseStudy(text, overrides);
  if (study.ok()) return "parsed";
  EXPECT_EQ(study.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(study.status().message());
}

// A study of one arm that sets `values`, as "\"epochs\": 0".
std::string OneArm(const std::string& values) {
  return R"({"title": "T", "arms": [{"name": "a", )" + values + "}]}";
}

std::vector<std::string> Names(const Study& study) {
  std::vector<std::string> names;
  for (const Arm& arm : study.arms) names.push_back(arm.name);
  return names;
}

TEST(ParseStudyTest, ReadsAGrid) {
  const absl::StatusOr<Study> study = ParseStudy(kGrid);
  ASSERT_TRUE(study.ok()) << study.status();
  EXPECT_EQ(study->title, "T");
  EXPECT_EQ(study->question, "Q?");
  // The first axis is the slowest.
  EXPECT_THAT(Names(*study),
              ElementsAre("euclidean batch_size=64", "euclidean batch_size=128",
                          "cosine batch_size=64", "cosine batch_size=128"));
  EXPECT_EQ(study->baseline, 2u);
  EXPECT_THAT(study->seeds, ElementsAre(3, 1));
  ASSERT_EQ(study->metrics.size(), 2u);
  EXPECT_EQ(study->metrics[1]->name, "minutes");

  const Arm& arm = study->arms[3];
  EXPECT_THAT(arm.differences, ElementsAre(Pair("distance", "cosine"),
                                           Pair("batch_size", "128")));
  EXPECT_THAT(
      arm.flags,
      ElementsAre(Pair("recipe", "fashion_mnist"), Pair("epochs", "2"),
                  Pair("distance", "cosine"), Pair("batch_size", "128")));
  EXPECT_EQ(arm.config.method, "simsiam_gsg");
  EXPECT_EQ(arm.config.loss.distance, Distance::kCosine);
  EXPECT_EQ(arm.config.batch_size, 128);
  EXPECT_EQ(arm.config.epochs, 2);
  EXPECT_EQ(arm.config.augment.size, 20);  // the recipe's
}

TEST(ParseStudyTest, ReadsArmsOfDifferentMethods) {
  const absl::StatusOr<Study> study = ParseStudy(R"({
    "title": "T",
    "arms": [{"name": "plain", "method": "simsiam"},
             {"name": "max", "method": "simsiam_gsg", "selection": "max"}]})");
  ASSERT_TRUE(study.ok()) << study.status();
  EXPECT_EQ(study->arms[0].config.method, "simsiam");
  EXPECT_EQ(study->arms[0].config.loss.selection, Selection::kNone);
  EXPECT_EQ(study->arms[1].config.loss.selection, Selection::kMax);
  EXPECT_EQ(study->baseline, 0u);
  EXPECT_THAT(study->seeds, ElementsAre(0, 1, 2));
  EXPECT_EQ(study->metrics.size(), 5u);
  // The method is a program, not a flag.
  EXPECT_THAT(study->arms[0].flags, Not(Contains(Pair("method", "simsiam"))));
}

TEST(ParseStudyTest, AMultipleIsOfTheBase) {
  const absl::StatusOr<Study> study = ParseStudy(R"({
    "title": "T", "base": {"epochs": 3, "warmup_epochs": 0, "base_lr": 0.4},
    "arms": [{"name": "a"},
             {"name": "b", "epochs": {"times": 2}, "base_lr": {"times": 0.5}}]})");
  ASSERT_TRUE(study.ok()) << study.status();
  EXPECT_EQ(study->arms[1].config.epochs, 6);
  EXPECT_EQ(study->arms[1].config.base_lr, 0.2);
  EXPECT_THAT(study->arms[1].flags, Contains(Pair("epochs", "6")));
  EXPECT_THAT(Message(OneArm(R"("epochs": {"times": 0.5})")),
              HasSubstr("arms[0] (a): epochs: 5 times 0.5 is not whole"));
  EXPECT_THAT(Message(OneArm(R"("views": {"times": 2})")),
              HasSubstr("views: there is no such number"));
}

TEST(ParseStudyTest, TheCommandLineIsOnTop) {
  StudyOverrides overrides;
  overrides.recipe = "cifar10_fast";
  overrides.values = {{"epochs", "7"}, {"threads_are_not", "1"}};
  EXPECT_THAT(Message(kGrid, overrides),
              HasSubstr("--set: there is no field threads_are_not"));
  overrides.values = {{"epochs", "7"}};
  overrides.seeds = {5};
  const absl::StatusOr<Study> study = ParseStudy(kGrid, overrides);
  ASSERT_TRUE(study.ok()) << study.status();
  EXPECT_EQ(study->arms[0].config.dataset, "cifar10");
  EXPECT_EQ(study->arms[0].config.epochs, 7);
  EXPECT_THAT(study->seeds, ElementsAre(5));

  overrides.values = {{"distance", "cosine"}};
  EXPECT_THAT(Message(kGrid, overrides),
              AllOf(HasSubstr("--set: distance"), HasSubstr("compares")));
  overrides.values = {{"epochs", "x"}};
  EXPECT_THAT(Message(kGrid, overrides),
              HasSubstr("--set: epochs=x: must be a whole number"));
  overrides.values = {{"epochs", "0"}};
  EXPECT_THAT(Message(kGrid, overrides), HasSubstr("must be between 1"));
  overrides.values = {{"seed", "4"}};
  EXPECT_THAT(Message(kGrid, overrides), HasSubstr("--seeds say"));
}

TEST(ParseStudyTest, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(Message("{"), HasSubstr("not JSON"));
  EXPECT_THAT(Message(R"({"seeds": [1E999]})"), HasSubstr("not JSON"));
  EXPECT_THAT(Message("[]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(Message(std::string(100000, '[') + std::string(100000, ']')),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(Message(R"({"title": "a", "title": "b"})"),
              HasSubstr("\"title\" is there twice"));
  EXPECT_THAT(Message(OneArm(R"("epochs": 1, "epochs": 2)")),
              HasSubstr("\"epochs\" is there twice"));
  EXPECT_THAT(Message(R"({"titel": "a"})"), HasSubstr("did you mean title?"));
  EXPECT_THAT(Message(R"({"arms": [{"name": "a"}]})"),
              HasSubstr("\"title\" is missing"));
  EXPECT_THAT(Message(R"({"title": "T"})"), HasSubstr("either \"grid\""));
  EXPECT_THAT(Message(R"({"title": "T", "grid": {}, "arms": []})"),
              HasSubstr("either \"grid\""));
  EXPECT_THAT(Message(R"({"title": "T", "base": {"epochs": 0},
                          "arms": [{"name": "a"}]})"),
              HasSubstr("base: --epochs=0: must be between 1"));
  EXPECT_THAT(
      Message(R"({"title": "T", "base": {"epoch": 1},
                          "arms": [{"name": "a"}]})"),
      AllOf(HasSubstr("base: unknown key \"epoch\""), HasSubstr("epochs?")));
  EXPECT_THAT(Message(OneArm(R"("epochs": "2")")),
              HasSubstr("arms[0] (a): \"epochs\": must be a whole number"));
  EXPECT_THAT(Message(OneArm(R"("method": "simclr")")),
              AllOf(HasSubstr("arms[0] (a): method"), HasSubstr("byol_gsg")));
  EXPECT_THAT(Message(OneArm(R"("seed": 1)")), HasSubstr("arms[0] (a): seed"));
  EXPECT_THAT(Message(OneArm(R"("output_dir": "x")")),
              HasSubstr("where its runs lie"));
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"epochs": 1}]})"),
              HasSubstr("arms[0]: \"name\" is missing"));
  EXPECT_THAT(Message(R"({"title": "T", "grid": {"distance": "cosine"}})"),
              HasSubstr("grid.distance: must be a list"));
  EXPECT_THAT(
      Message(R"({"title": "T", "grid": {"distance": ["cosine", "cos"]}})"),
      AllOf(HasSubstr("grid.distance[1]"), HasSubstr("did you mean cosine?")));
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"name": "a"}],
                          "baseline": "b"})"),
              HasSubstr("baseline: no arm is called \"b\""));
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"name": "a"}],
                          "seeds": [1, 1]})"),
              HasSubstr("seeds: \"1,1\""));
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"name": "a"}],
                          "metrics": ["acc"]})"),
              AllOf(HasSubstr("metrics"), HasSubstr("knn_top1")));
}

// As the training program itself would say it.
TEST(ParseStudyTest, AFieldWithoutEffectIsAnError) {
  EXPECT_THAT(
      Message(OneArm(R"("method": "simsiam", "distance": "cosine")")),
      AllOf(HasSubstr("arms[0] (a): --distance"), HasSubstr("not guided")));
  EXPECT_THAT(Message(OneArm(R"("target_momentum": 0.9)")),
              HasSubstr("no momentum encoder"));
  EXPECT_THAT(Message(OneArm(R"("predictor": "none", "predictor_hidden": 64)")),
              HasSubstr("there is no predictor"));
}

TEST(ParseStudyTest, NothingIsLeftToARun) {
  EXPECT_THAT(
      Message(
          R"({"title": "T", "base": {"recipe": "photos"}, "grid": {"hue": [0, 0.1]}})"),
      HasSubstr("add fit=false"));
  EXPECT_THAT(
      Message(R"({"title": "T", "base": {"recipe": "photos", "fit": false},
                          "arms": [{"name": "a", "minutes": 5}]})"),
      HasSubstr("minutes: give epochs in its place"));
}

TEST(ParseStudyTest, ArmsDiffer) {
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"name": "a"},
                          {"name": "a", "epochs": 9}]})"),
              HasSubstr("two are called a"));
  // The recipe's own value, and another recipe's name for the same.
  EXPECT_THAT(Message(R"({"title": "T", "arms": [{"name": "a"},
                          {"name": "b", "batch_size": 128}]})"),
              HasSubstr("\"a\" and \"b\" are the same training"));
}

TEST(ParseSeedsTest, TakesWholeNumbersOnce) {
  EXPECT_THAT(*ParseSeeds("0,2,10"), ElementsAre(0, 2, 10));
  for (const char* bad : {"", "1,", "-1", "1.5", "1,1", "one", "1 ,2"}) {
    EXPECT_FALSE(ParseSeeds(bad).ok()) << bad;
  }
}

TEST(ParseFieldValuesTest, TakesPairsOnce) {
  EXPECT_THAT(*ParseFieldValues("a=1,b=x=y"),
              ElementsAre(Pair("a", "1"), Pair("b", "x=y")));
  EXPECT_TRUE(ParseFieldValues("")->empty());
  for (const char* bad : {"a", "a=", "=1", "a=1,a=2"}) {
    EXPECT_FALSE(ParseFieldValues(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace gsg
