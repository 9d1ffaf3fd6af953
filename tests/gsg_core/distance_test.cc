#include "gsg_core/distance.h"

#include "absl/status/status.h"
#include "gsg_core/parse.h"
#include "gsg_core/reference_row.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

double Between(Distance distance, const double (&x)[2], const double (&y)[2]) {
  return reference::DistanceBetween<double>(distance, x, y, 2);
}

TEST(DistanceTest, ByHand) {
  EXPECT_DOUBLE_EQ(Between(Distance::kEuclidean, {1, 2}, {4, 6}), 5);
  EXPECT_DOUBLE_EQ(Between(Distance::kSquaredEuclidean, {1, 2}, {4, 6}), 25);
  EXPECT_DOUBLE_EQ(Between(Distance::kCosine, {3, 4}, {10, 0}), 1 - 0.6);
  EXPECT_DOUBLE_EQ(Between(Distance::kCosine, {3, 4}, {-6, -8}), 2);
}

TEST(DistanceTest, CosineOfZeroRowIsOne) {
  EXPECT_EQ(Between(Distance::kCosine, {0, 0}, {1, 0}), 1);
  EXPECT_EQ(Between(Distance::kCosine, {0, 0}, {0, 0}), 1);
}

TEST(DistanceTest, CosineClampsNorms) {
  // <x, y> = 1e-9, ||x|| = 1e-9 counts as 1e-8.
  EXPECT_DOUBLE_EQ(Between(Distance::kCosine, {1e-9, 0}, {1, 0}), 0.9);
}

TEST(DistanceTest, NamesParse) {
  for (Distance distance :
       {Distance::kEuclidean, Distance::kSquaredEuclidean, Distance::kCosine}) {
    const auto parsed = ParseDistance(DistanceName(distance));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, distance);
  }
  EXPECT_EQ(DistanceName(Distance::kEuclidean), "euclidean");
  EXPECT_EQ(DistanceName(Distance::kSquaredEuclidean), "squared_euclidean");
  EXPECT_EQ(DistanceName(Distance::kCosine), "cosine");
  EXPECT_EQ(DistanceName(static_cast<Distance>(99)), "unknown");
}

TEST(DistanceTest, ParseErrorListsNames) {
  EXPECT_EQ(ParseDistance("Cosine").status(),
            absl::InvalidArgumentError(
                "distance is \"Cosine\"; use one of euclidean, "
                "squared_euclidean, cosine"));
}

}  // namespace
}  // namespace gsg
