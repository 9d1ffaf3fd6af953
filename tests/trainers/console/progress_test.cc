#include "trainers/console/progress.h"

#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kErase[] = "\r\x1b[K";

ProgressState State() {
  ProgressState state;
  state.epoch = 3;
  state.epochs = 10;
  state.step = 117;
  state.steps = 234;
  state.loss = -0.73124;
  state.images_per_second = 1234;
  state.left = absl::Seconds(252);
  return state;
}

TEST(ProgressLineTest, FitsTheTerminal) {
  EXPECT_EQ(ProgressLine(State(), 200),
            "epoch 3/10 [====================>                   ] 117/234  "
            "loss -0.7312  1,234 images/s  4 min 12 s left");
  EXPECT_EQ(ProgressLine(State(), 80),
            "epoch 3/10 [=====>     ] 117/234  loss -0.7312  "
            "1,234 images/s  4 min 12 s left");
  EXPECT_EQ(ProgressLine(State(), 60),
            "epoch 3/10 117/234  loss -0.7312  4 min 12 s left");
  EXPECT_EQ(ProgressLine(State(), 40), "epoch 3/10 117/234  4 min 12 s left");
  EXPECT_EQ(ProgressLine(State(), 30), "epoch 3/10  4 min 12 s left");
  EXPECT_EQ(ProgressLine(State(), 10), "epoch 3/1");
}

TEST(ProgressLineTest, NeverReachesTheLastColumn) {
  for (int width = 1; width <= 200; ++width) {
    EXPECT_LT(ProgressLine(State(), width).size(), static_cast<size_t>(width));
  }
}

TEST(ProgressLineTest, BarIsEmptyAtTheStartAndFullAtTheEnd) {
  ProgressState state = State();
  state.step = 0;
  EXPECT_THAT(ProgressLine(state, 80), HasSubstr("[>          ]   0/234"));
  state.step = 234;
  EXPECT_THAT(ProgressLine(state, 80), HasSubstr("[===========] 234/234"));
}

class ProgressTest : public ::testing::Test {
 protected:
  Console FakeConsole() {
    return {&out_, [this] { return width_; }, [this] { return now_; }};
  }
  // What was written since the last call.
  std::string Written() {
    const std::string text = out_.str();
    out_.str("");
    return text;
  }
  void Update(Progress& progress, int step) {
    progress.Update(step, [this] {
      ++losses_;
      return -0.5;
    });
  }

  std::ostringstream out_;
  int width_ = 80;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  int losses_ = 0;
};

TEST_F(ProgressTest, MeasuresSpeedAndTimeLeft) {
  Progress progress(FakeConsole(), {/*epochs=*/2, /*steps=*/10,
                                    /*batch_size=*/50});
  progress.StartEpoch(1);
  now_ += absl::Seconds(2);
  Update(progress, 4);  // Half a second a step, 16 to go.
  const std::string text = Written();
  EXPECT_EQ(text.substr(0, 4), kErase);
  EXPECT_THAT(text, HasSubstr("epoch 1/2 "));
  EXPECT_THAT(text, EndsWith("  4/10  loss -0.5000  100 images/s  8.0 s left"));
}

TEST_F(ProgressTest, AfterResumeCountsOnlyTheStepsItSaw) {
  Progress progress(FakeConsole(), {2, 10, 50});
  progress.StartEpoch(2, /*steps_done=*/6);
  Update(progress, 6);
  EXPECT_EQ(Written(), "");  // No speed yet.
  now_ += absl::Seconds(1);
  Update(progress, 8);
  EXPECT_THAT(Written(), HasSubstr("8/10  loss -0.5000  100 images/s  1.0 s"));
}

TEST_F(ProgressTest, RedrawsTenTimesASecondAndAsksForTheLossOnlyThen) {
  Progress progress(FakeConsole(), {1, 1000, 1});
  for (int step = 1; step <= 1000; ++step) {
    now_ += absl::Milliseconds(1);
    Update(progress, step);
  }
  EXPECT_EQ(losses_, 10);
}

TEST_F(ProgressTest, ClearsTheLineBeforeOutputAndAtTheEnd) {
  {
    Progress progress(FakeConsole(), {1, 10, 1});
    progress.Clear();
    EXPECT_EQ(Written(), "");  // Nothing is drawn.
    now_ += absl::Seconds(1);
    Update(progress, 1);
    EXPECT_THAT(Written(), Not(HasSubstr("\n")));
    progress.Clear();
    EXPECT_EQ(Written(), kErase);
    progress.Clear();
    EXPECT_EQ(Written(), "");
    now_ += absl::Seconds(1);
    Update(progress, 2);
    Written();
  }
  EXPECT_EQ(Written(), kErase);
}

TEST_F(ProgressTest, WithoutATerminalThereIsALineAMinute) {
  width_ = 0;
  {
    Progress progress(FakeConsole(), {1, 10, 50});
    progress.ShowFirstStep();
    EXPECT_EQ(Written(), "");
    progress.StartEpoch(1);
    now_ += absl::Seconds(59);
    Update(progress, 1);
    EXPECT_EQ(Written(), "");
    now_ += absl::Seconds(61);
    Update(progress, 2);
    EXPECT_EQ(Written(),
              "epoch 1/1  2/10  loss -0.5000  1 images/s  8 min 00 s left\n");
    now_ += absl::Seconds(59);
    Update(progress, 3);
    progress.Clear();
  }
  EXPECT_EQ(Written(), "");
  EXPECT_EQ(losses_, 1);
}

TEST_F(ProgressTest, TheFirstStepIsAnnouncedOnATerminalToo) {
  Progress progress(FakeConsole(), {1, 10, 50});
  progress.ShowFirstStep();
  EXPECT_EQ(Written(), "first step ...");
  now_ += absl::Seconds(2);
  Update(progress, 1);
  EXPECT_THAT(Written(), StartsWith(std::string(kErase)));
  EXPECT_EQ(progress.per_step(), absl::Seconds(2));
}

TEST_F(ProgressTest, FollowsTheWidthOfTheTerminal) {
  Progress progress(FakeConsole(), {1, 10, 1});
  for (int width : {40, 200}) {
    width_ = width;
    now_ += absl::Seconds(1);
    Update(progress, 5);
    const std::string line = Written().substr(4);
    EXPECT_EQ(line.find('[') != std::string::npos, width == 200) << line;
  }
}

}  // namespace
}  // namespace gsg
