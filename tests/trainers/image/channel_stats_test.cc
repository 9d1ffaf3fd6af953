#include "trainers/image/channel_stats.h"

#include <cmath>
#include <cstdint>

#include "gtest/gtest.h"
#include "trainers/image/image.h"

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

// 51 of 255 is 13107 of 65535.
TEST(ChannelStatsTest, SixteenBits) {
  const uint8_t eight[] = {0, 51};
  const uint16_t sixteen[] = {13107, 65535};
  Image image;
  image.channels = 1;
  image.height = 1;
  image.width = 2;
  ChannelSums sums(1);
  image.chw = eight;
  sums.Add(image);
  image.chw = nullptr;
  image.chw16 = sixteen;
  sums.Add(image);
  EXPECT_NEAR(sums.stats().mean[0], 0.35, 1e-15);
  EXPECT_NEAR(sums.stats().std[0], std::sqrt(1.08 / 4 - 0.35 * 0.35), 1e-15);
}

TEST(ChannelStatsTest, OneOfImageNetsForEachChannel) {
  EXPECT_EQ(ImageNetChannels(3).mean.size(), 3);
  EXPECT_EQ(ImageNetChannels(3).std[2], 0.225);
  EXPECT_EQ(ImageNetChannels(1).mean.size(), 1);
  EXPECT_TRUE(ImageNetChannels(5).mean.empty());
}

}  // namespace
}  // namespace gsg
