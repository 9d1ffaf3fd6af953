#include "trainers/image/channel_stats.h"

#include "gtest/gtest.h"

namespace gsg {
namespace {

// Two images of 2x1 pixels with two channels.
TEST(ChannelStatsTest, ByHand) {
  const ChannelStats stats =
      MeasureChannels({2, 2, 2, 1, {0, 255, 51, 51, 255, 0, 51, 51}, {4, 9}});
  EXPECT_DOUBLE_EQ(stats.mean[0], 0.5);
  EXPECT_DOUBLE_EQ(stats.std[0], 0.5);
  EXPECT_NEAR(stats.mean[1], 0.2, 1e-15);
  EXPECT_EQ(stats.std[1], 1);  // constant: shifted, not scaled
}

TEST(ChannelStatsTest, OneOfImageNetsForEachChannel) {
  EXPECT_EQ(ImageNetChannels(3).mean.size(), 3);
  EXPECT_EQ(ImageNetChannels(3).std[2], 0.225);
  EXPECT_EQ(ImageNetChannels(1).mean.size(), 1);
}

}  // namespace
}  // namespace gsg
