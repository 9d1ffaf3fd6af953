#include "trainers/explore/outliers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "gsg_core/executor.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

// The definitions of Breunig et al., over all pairs of rows.
struct Slow {
  std::vector<double> distance, factor;
};

Slow SlowOutliers(const UnitRows& rows, int64_t k) {
  const int64_t n = rows.n;
  const auto between = [&](int64_t a, int64_t b) {
    return std::sqrt(std::max(0., 2 - 2 * SlowCosine(rows, a, rows, b)));
  };
  std::vector<std::vector<int64_t>> nearest(n);
  Slow slow;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      if (j != i) nearest[i].push_back(j);
    }
    std::sort(nearest[i].begin(), nearest[i].end(), [&](int64_t a, int64_t b) {
      return between(i, a) < between(i, b);
    });
    nearest[i].resize(k);
    slow.distance.push_back(between(i, nearest[i][k - 1]));
  }
  std::vector<double> density(n);
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (const int64_t j : nearest[i]) {
      sum += std::max(between(i, j), slow.distance[j]);
    }
    density[i] = 1 / (sum / k + 1e-10);
  }
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (const int64_t j : nearest[i]) sum += density[j];
    slow.factor.push_back(sum / k / density[i]);
  }
  return slow;
}

Neighbors NeighborsOf(const UnitRows& rows, int64_t k) {
  SerialExecutor serial;
  return *FindNeighbors(rows, rows, k, true, EigenProduct, serial, NoWatch);
}

TEST(OutliersTest, AreThoseOfTheDefinitions) {
  const UnitRows rows = RandomRows(150, 8, 6, 0.4, 6);
  for (const int64_t k : {1, 7}) {
    const Outliers found = FindOutliers(NeighborsOf(rows, k));
    const Slow slow = SlowOutliers(rows, k);
    for (int64_t i = 0; i < rows.n; ++i) {
      ASSERT_NEAR(found.distance[i], slow.distance[i], 1e-4) << i;
      ASSERT_NEAR(found.factor[i], slow.factor[i], 1e-2 * slow.factor[i]) << i;
    }
    EXPECT_TRUE(std::is_sorted(found.order.begin(), found.order.end(),
                               [&](int32_t a, int32_t b) {
                                 return found.distance[a] > found.distance[b];
                               }));
  }
}

TEST(OutliersTest, ThePlantedOnesComeFirst) {
  // Three tight groups, and at the end three rows of random directions.
  UnitRows rows = RandomRows(120, 32, 3, 0.1, 7);
  const UnitRows foreign = RandomRows(3, 32, 3, 0, 8);
  rows.values.insert(rows.values.end(), foreign.values.begin(),
                     foreign.values.end());
  rows.n += 3;
  const Outliers found = FindOutliers(NeighborsOf(rows, 10));
  std::vector<int32_t> first(found.order.begin(), found.order.begin() + 3);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, (std::vector<int32_t>{120, 121, 122}));
  for (const int32_t i : first) EXPECT_GT(found.factor[i], 2);
  EXPECT_NEAR(found.factor[5], 1, 0.3);
}

TEST(OutliersTest, CopiesHaveAFactor) {
  const absl::StatusOr<UnitRows> rows =
      Normalize({1, 0, 1, 0, 1, 0, 0, 1}, 2, {});
  const Outliers found = FindOutliers(NeighborsOf(*rows, 2));
  for (const float factor : found.factor) EXPECT_TRUE(std::isfinite(factor));
  EXPECT_EQ(found.order[0], 3);
  EXPECT_NEAR(found.factor[0], 1, 1e-3);
}

}  // namespace
}  // namespace gsg
