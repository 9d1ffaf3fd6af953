#include "trainers/report/verdict.h"

#include <cstdlib>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// k-NN of 30 % (raw pixels), 24.5 % (untrained) and `trained`, of ten classes.
std::string VerdictOn(double trained) {
  Config config;
  config.epochs = 6;
  config.base_lr = 0.3;
  RunState state;
  state.raw_pixels.knn_top1 = 30;
  state.untrained.knn_top1 = 24.5;
  Scores scores;
  scores.knn_top1 = trained;
  return Verdict(config, state, scores, 10);
}

TEST(VerdictTest, SaysWhetherTrainingPaid) {
  EXPECT_THAT(VerdictOn(40),
              AllOf(StartsWith("Training paid: k-NN 40.0 %, 15.5 points above"),
                    HasSubstr("10.0 above raw pixels"), Not(HasSubstr("Try"))));
  EXPECT_THAT(VerdictOn(27), AllOf(StartsWith("Training paid little"),
                                   HasSubstr("--epochs=24")));
  EXPECT_THAT(VerdictOn(21),
              AllOf(StartsWith("Training did not pay"), HasSubstr("24.5"),
                    HasSubstr("--base_lr=0.1")));
  EXPECT_THAT(VerdictOn(11), HasSubstr("near chance (10.0 % for 10 classes)"));
}

TEST(VerdictTest, WithoutLabelsViewsDecide) {
  RunState state;
  Scores scores;
  EXPECT_EQ(Verdict(Config(), state, scores, 0), "");
  state.untrained.view_top1 = 40;
  scores.view_top1 = 83;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              AllOf(StartsWith("Training paid"), HasSubstr("83.0 %"),
                    HasSubstr("40.0 %")));
  state.raw_pixels.view_top1 = 90;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              AllOf(StartsWith("Training paid little"),
                    HasSubstr("raw pixels: 90.0 %"), HasSubstr("Try ")));
  state.raw_pixels.view_top1 = 20;
  scores.view_top1 = 39;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              StartsWith("Training did not pay"));
}

TEST(VerdictTest, WithoutLabelsSpreadAndRankDecideToo) {
  RunState state;
  Scores scores;
  state.untrained.view_top1 = 40;
  scores.view_top1 = 83;
  EpochRecord& last = state.history.emplace_back();
  last.feature_std = 0.95;
  last.effective_rank = 14.4;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              AllOf(StartsWith("Training paid"), HasSubstr("spread is 0.95"),
                    HasSubstr("some 14 dimensions"), Not(HasSubstr("Try "))));
  last.feature_std = 0.05;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              AllOf(StartsWith("Training did not pay"),
                    HasSubstr("have collapsed"), HasSubstr("Try ")));
  // Two images alone cannot differ in two.
  last.feature_std = 1;
  last.effective_rank = 1;
  EXPECT_THAT(Verdict(Config(), state, scores, 0),
              HasSubstr("differ in one direction alone: their spread is 1.00"));
  // Without baselines the page has these words alone.
  Config without;
  without.baselines = false;
  const Worked worked = WhetherItWorked(
      without,
      [&] {
        RunState bare;
        bare.history = state.history;
        return bare;
      }(),
      Scores(), 0);
  EXPECT_FALSE(worked.paid);
  EXPECT_THAT(worked.words, HasSubstr("--baselines=false"));
}

TEST(VerdictTest, WithoutBaselinesNothingIsSaid) {
  Scores scores;
  scores.knn_top1 = 50;
  EXPECT_EQ(Verdict(Config(), RunState(), scores, 10), "");
}

TEST(NextCommandsTest, HaveThePathForAShell) {
  Config config;
  config.output_dir = "/runs/it's here";
  EXPECT_THAT(
      NextCommands(config, 0, true),
      AllOf(HasSubstr("evaluate -- --run='/runs/it'\\''s here'\n"),
            HasSubstr("//trainers:embed"), HasSubstr("//trainers:export")));
  EXPECT_THAT(NextCommands(config, 0, true),
              HasSubstr("//trainers:explore -- --run='/runs/it'\\''s here' "
                        "--images=FOLDER --output=answers\n"));
  config.dataset = "folder";
  config.data_dir = "/my photos";
  EXPECT_THAT(NextCommands(config, 0, false),
              HasSubstr("--images='/my photos' --output=answers\n"));
  // Archives, too, whose braces a shell is kept from.
  config.data_dir = "/a-{0..3}.tar";
  EXPECT_THAT(NextCommands(config, 0, false),
              HasSubstr("--images='/a-{0..3}.tar' --output=answers\n"));
  config.backbone = "resnet_small";
  EXPECT_THAT(
      NextCommands(config, 0, false),
      AllOf(HasSubstr("--data_dir=LABELED"), HasSubstr("//trainers:export")));
}

// What --max_steps cut short is to be trained, not tuned.
TEST(NextCommandsTest, BeginWithTheRestOfTheRun) {
  Config config;
  config.method = "byol";
  config.output_dir = "/runs/a";
  config.epochs = 5;
  config.max_steps = 40;
  EXPECT_THAT(NextCommands(config, 2, true),
              StartsWith("Next:\n  ./bazelw run //trainers:byol -- --resume "
                         "--output_dir=/runs/a --max_steps=0  (trains the "
                         "rest: --max_steps=40 ended it in epoch 3 of 5)\n"));
  EXPECT_THAT(NextCommands(config, 5, true), Not(HasSubstr("--resume")));
  RunState state;
  state.epoch = 2;
  state.untrained.knn_top1 = 50;
  Scores scores;
  scores.knn_top1 = 40;
  EXPECT_THAT(
      Verdict(config, state, scores, 10),
      AllOf(StartsWith("Training did not pay"), Not(HasSubstr("Try "))));
  state.epoch = 5;
  EXPECT_THAT(Verdict(config, state, scores, 10), HasSubstr("Try "));
}

TEST(NextCommandsTest, AreThoseOfTheWheelWhereItIsInstalled) {
  Config config;
  config.output_dir = "/runs/a";
  setenv("GSG_COMMAND", "gsg", 1);
  config.method = "simsiam_gsg";
  config.max_steps = 1;
  const std::string text = NextCommands(config, 0, true);
  unsetenv("GSG_COMMAND");
  EXPECT_THAT(text, AllOf(HasSubstr("\n  gsg evaluate --run=/runs/a\n"),
                          HasSubstr("\n  gsg train --method=simsiam_gsg "
                                    "--resume --output_dir=/runs/a "),
                          Not(HasSubstr("bazelw"))));
}

}  // namespace
}  // namespace gsg
