#include "trainers/report/ticks.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

void ExpectTicks(const Ticks& ticks, const std::vector<double>& values,
                 int decimals) {
  ASSERT_EQ(ticks.values.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(ticks.values[i], values[i], 1e-12);
  }
  EXPECT_EQ(ticks.decimals, decimals);
}

TEST(NiceTicksTest, WorkedOutByHand) {
  ExpectTicks(NiceTicks(0, 100, 4), {0, 50, 100}, 0);
  ExpectTicks(NiceTicks(0, 100, 5), {0, 20, 40, 60, 80, 100}, 0);
  ExpectTicks(NiceTicks(-0.95, 0.02, 4), {-0.5, 0}, 1);
  ExpectTicks(NiceTicks(0.1, 0.3, 2), {0.1, 0.2, 0.3}, 1);
  ExpectTicks(NiceTicks(63, 86, 5), {65, 70, 75, 80, 85}, 0);
  ExpectTicks(NiceTicks(0, 13000, 4), {0, 5000, 10000}, 0);
  ExpectTicks(NiceTicks(0.00021, 0.00029, 4),
              {0.00022, 0.00024, 0.00026, 0.00028}, 5);
}

TEST(NiceTicksTest, EpochsAreWhole) {
  ExpectTicks(NiceTicks(1, 3, 6, 1), {1, 2, 3}, 0);
  ExpectTicks(NiceTicks(1, 90, 6, 1), {20, 40, 60, 80}, 0);
}

TEST(NiceTicksTest, InsideEvenlySpacedAndEnough) {
  for (double low = -7; low < 1e4; low += 513.7) {
    for (double width = 1e-3; width < 1e6; width *= 3.7) {
      const Ticks ticks = NiceTicks(low, low + width, 4);
      ASSERT_GE(ticks.values.size(), 1u);
      ASSERT_LE(ticks.values.size(), 5u);
      EXPECT_GE(ticks.values.front(), low - 1e-6 * width);
      EXPECT_LE(ticks.values.back(), low + width * (1 + 1e-6));
      // Rounding to `decimals` keeps them apart.
      const double unit = std::pow(10, -ticks.decimals);
      for (size_t i = 1; i < ticks.values.size(); ++i) {
        EXPECT_GE(ticks.values[i] - ticks.values[i - 1], unit * 0.999);
      }
    }
  }
}

}  // namespace
}  // namespace gsg
