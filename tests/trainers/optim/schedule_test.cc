#include "trainers/optim/schedule.h"

#include <cmath>

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(LearningRateTest, CosineByHand) {
  const ScheduleOptions options{/*peak_lr=*/2, /*warmup_steps=*/0,
                                /*total_steps=*/4};
  EXPECT_DOUBLE_EQ(LearningRate(options, 0), 2);
  EXPECT_DOUBLE_EQ(LearningRate(options, 1), 1 + std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 3), 1 - std::sqrt(0.5));
}

TEST(LearningRateTest, WarmupRisesToThePeakAndMeetsTheCosine) {
  const ScheduleOptions options{1, 4, 104};
  EXPECT_DOUBLE_EQ(LearningRate(options, 0), 0.25);
  EXPECT_DOUBLE_EQ(LearningRate(options, 2), 0.75);
  EXPECT_DOUBLE_EQ(LearningRate(options, 3), 1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 4), 1);
  EXPECT_DOUBLE_EQ(LearningRate(options, 54), 0.5);
}

TEST(LearningRateTest, LastStepStillLearns) {
  const ScheduleOptions options{1, 0, 1000};
  EXPECT_GT(LearningRate(options, 999), 0);
  EXPECT_LT(LearningRate(options, 999), 1e-5);
}

}  // namespace
}  // namespace gsg
