#include "trainers/explore/features.h"

#include <cmath>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

TEST(FeaturesTest, RowsGetLengthOne) {
  const absl::StatusOr<UnitRows> rows = Normalize({3, 4, 0, -2}, 2, {});
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->n, 2);
  EXPECT_THAT(rows->values, ElementsAre(FloatNear(0.6f, 1e-6f),
                                        FloatNear(0.8f, 1e-6f), 0, -1));
}

TEST(FeaturesTest, TheMeanIsSubtractedFirst) {
  const std::vector<float> values = {1, 5, 3, 5};
  const std::vector<double> mean = MeanRow(values, 2);
  EXPECT_THAT(mean, ElementsAre(2, 5));
  const absl::StatusOr<UnitRows> rows = Normalize(values, 2, mean);
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT(rows->values, ElementsAre(-1, 0, 1, 0));
}

TEST(FeaturesTest, ARowThatIsTheMeanBecomesZero) {
  const std::vector<double> mean = {0.1, 0.2};
  const absl::StatusOr<UnitRows> rows =
      Normalize({0.1f, 0.2f, 0.1f, 0.3f}, 2, mean);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->row(0)[0], 0);
  EXPECT_EQ(rows->row(0)[1], 0);
  EXPECT_NEAR(rows->row(1)[1], 1, 1e-6);
}

TEST(FeaturesTest, LargeRowsDoNotOverflow) {
  const absl::StatusOr<UnitRows> rows = Normalize({3e38f, 3e38f}, 2, {});
  ASSERT_TRUE(rows.ok());
  EXPECT_NEAR(rows->values[0], std::sqrt(0.5), 1e-6);
}

TEST(FeaturesTest, WhatIsNotFiniteIsNamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const absl::StatusOr<UnitRows> rows = Normalize({1, 2, 3, nan}, 2, {});
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(rows.status().message(), HasSubstr("row 1"));
  EXPECT_FALSE(Normalize({1, 2, 3}, 2, {}).ok());
  EXPECT_FALSE(Normalize({1, 2}, 2, {1.}).ok());
}

TEST(FeaturesTest, EigenMultiplies) {
  const float a[] = {1, 2, 3, 4};        // 2 x 2
  const float b[] = {1, 0, 0, 1, 1, 1};  // 3 x 2
  float c[6];
  EigenProduct(a, 2, b, 3, 2, c);
  EXPECT_THAT(c, ElementsAre(1, 2, 3, 3, 4, 7));
}

}  // namespace
}  // namespace gsg
