#include "trainers/train/collapse_watch.h"

#include <optional>

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(CollapseWatchTest, AShortEpochIsOneWindow) {
  CollapseWatch watch(3);
  EXPECT_EQ(watch.Add(1), std::nullopt);
  EXPECT_EQ(watch.Add(2), std::nullopt);
  EXPECT_EQ(watch.Add(6), 3);
  EXPECT_EQ(watch.Add(1), std::nullopt);
}

TEST(CollapseWatchTest, ALongOneIsSeenEveryHundredBatches) {
  CollapseWatch watch(2500);
  int windows = 0;
  for (int batch = 1; batch <= 2500; ++batch) {
    // 1 until batch 150, then 0: the second window is half of each.
    const std::optional<double> mean = watch.Add(batch <= 150 ? 1 : 0);
    ASSERT_EQ(mean.has_value(), batch % 100 == 0);
    if (!mean) continue;
    const double want[] = {1, 0.5, 0};
    EXPECT_EQ(*mean, want[windows < 2 ? windows : 2]);
    ++windows;
  }
  EXPECT_EQ(windows, 25);
}

}  // namespace
}  // namespace gsg
