#include "gsg_core/meters.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

constexpr double kTolerance = 1e-6;  // inputs are float

TEST(FeatureSpreadTest, ByHand) {
  // Unit rows (1,0), (0,1): each dimension has standard deviation 1/2.
  Buffer<float> z(2, 2, 1);
  z(0, 0) = 3, z(0, 1) = 0;
  z(1, 0) = 0, z(1, 1) = 5;
  EXPECT_NEAR(*FeatureStd(z.rows()), 0.5 * std::sqrt(2), kTolerance);
}

TEST(FeatureSpreadTest, ZeroForOneDirection) {
  Buffer<float> z(3, 2);
  for (int i = 0; i < 3; ++i) z(i, 0) = i + 1, z(i, 1) = 2 * (i + 1);
  EXPECT_NEAR(*FeatureStd(z.rows()), 0, kTolerance);
}

TEST(FeatureSpreadTest, NearOneForGaussians) {
  std::mt19937_64 generator(TestSeed());
  Buffer<float> z(2000, 32);
  z.Fill(generator, std::normal_distribution<double>());
  EXPECT_NEAR(*FeatureStd(z.rows()), 1, 0.02);
}

TEST(EffectiveRankTest, ByHand) {
  // Centered columns (±1, ∓1, 0, 0) a and (0, 0, ±1, ∓1) b: eigenvalues
  // proportional to a^2 : b^2 = 4 : 1, so q = 0.8, 0.2.
  Buffer<float> z(4, 2, 3);
  const float values[4][2] = {{12, 7}, {8, 7}, {10, 8}, {10, 6}};
  for (int i = 0; i < 4; ++i) z(i, 0) = values[i][0], z(i, 1) = values[i][1];
  const double expected = std::exp(-0.8 * std::log(0.8) - 0.2 * std::log(0.2));
  EXPECT_NEAR(*EffectiveRank(z.rows()), expected, kTolerance);
}

TEST(EffectiveRankTest, WideAndTallAgree) {
  // Zero columns change no eigenvalue: 5 x 3 by the covariance, 5 x 40 by the
  // Gram matrix of the rows.
  std::mt19937_64 generator(TestSeed());
  Buffer<float> tall(5, 3), wide(5, 40);
  tall.Fill(generator, std::normal_distribution<double>());
  for (int i = 0; i < 5; ++i) {
    for (int c = 0; c < 40; ++c) wide(i, c) = c < 3 ? tall(i, c) : 0;
  }
  EXPECT_NEAR(*EffectiveRank(wide.rows()), *EffectiveRank(tall.rows()),
              kTolerance);
}

TEST(EffectiveRankTest, Extremes) {
  Buffer<float> constant(4, 3);
  for (int i = 0; i < 4; ++i) {
    for (int c = 0; c < 3; ++c) constant(i, c) = 2;
  }
  EXPECT_EQ(*EffectiveRank(constant.rows()), 0);
  Buffer<float> line(3, 2);
  for (int i = 0; i < 3; ++i) line(i, 0) = i, line(i, 1) = -2 * i;
  EXPECT_NEAR(*EffectiveRank(line.rows()), 1, kTolerance);
}

TEST(MetersTest, Errors) {
  Buffer<float> z(2, 2);
  for (auto meter : {&FeatureStd, &EffectiveRank}) {
    EXPECT_EQ(meter(z.rows()).status(),
              absl::InvalidArgumentError("z has nan in row 0, column 0; all "
                                         "values must be finite"));
    EXPECT_EQ(meter(Rows<const float>(nullptr, 0, 2)).status(),
              absl::InvalidArgumentError(
                  "z is 0 x 2; it needs at least one row and one column"));
    EXPECT_EQ(meter(Rows<const float>(nullptr, 1, 2)).status(),
              absl::InvalidArgumentError("z has null data"));
  }
}

}  // namespace
}  // namespace gsg
