#include "trainers/explore/clusters.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"

namespace gsg {
namespace {

double SlowSilhouette(const UnitRows& rows, const std::vector<int32_t>& cluster,
                      const std::vector<int64_t>& of) {
  double total = 0;
  for (const int64_t i : of) {
    double a = 0, b = std::numeric_limits<double>::infinity();
    const int32_t most = *std::max_element(cluster.begin(), cluster.end());
    bool alone = true;
    for (int32_t c = 0; c <= most; ++c) {
      double sum = 0;
      int count = 0;
      for (const int64_t j : of) {
        if (cluster[j] != c || j == i) continue;
        sum += 1 - SlowCosine(rows, i, rows, j);
        ++count;
      }
      if (count == 0) continue;
      if (c == cluster[i]) {
        a = sum / count;
        alone = false;
      } else {
        b = std::min(b, sum / count);
      }
    }
    if (!alone) total += (b - a) / std::max(a, b);
  }
  return total / of.size();
}

TEST(ClustersTest, FindsThePlantedGroups) {
  const UnitRows rows = RandomRows(210, 16, 7, 0.2, 9);
  const absl::StatusOr<Clusters> found =
      FindClusters(rows, 7, {}, EigenProduct, NoWatch);
  ASSERT_TRUE(found.ok());
  for (int64_t i = 0; i < rows.n; ++i) {
    EXPECT_EQ(found->cluster[i], found->cluster[i % 7]) << i;
  }
  EXPECT_EQ(
      std::set<int32_t>(found->cluster.begin(), found->cluster.end()).size(),
      7);
  EXPECT_GT(found->silhouette, 0.7);
}

TEST(ClustersTest, DistancesAndCentersAreThoseOfTheMeans) {
  const UnitRows rows = RandomRows(300, 5, 300, 0, 10);
  const absl::StatusOr<Clusters> found =
      FindClusters(rows, 4, {}, EigenProduct, NoWatch);
  ASSERT_TRUE(found.ok());
  for (int64_t c = 0; c < 4; ++c) {
    std::vector<double> mean(5);
    for (int64_t i = 0; i < rows.n; ++i) {
      if (found->cluster[i] != c) continue;
      for (int64_t d = 0; d < 5; ++d) mean[d] += rows.row(i)[d];
    }
    const double length = std::sqrt(
        std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.));
    for (int64_t d = 0; d < 5; ++d) {
      EXPECT_NEAR(found->centers[c * 5 + d], mean[d] / length, 1e-5);
    }
  }
  // Each image is in the cluster of its nearest center.
  for (int64_t i = 0; i < rows.n; ++i) {
    double nearest = 2;
    for (int64_t c = 0; c < 4; ++c) {
      double cosine = 0;
      for (int64_t d = 0; d < 5; ++d) {
        cosine += rows.row(i)[d] * found->centers[c * 5 + d];
      }
      nearest = std::min(nearest, 1 - cosine);
    }
    EXPECT_NEAR(found->distance[i], nearest, 1e-5);
  }
  const std::vector<std::vector<int32_t>> members = found->Members();
  for (size_t c = 0; c < 4; ++c) {
    if (c > 0) {
      EXPECT_LE(members[c].size(), members[c - 1].size());
    }
    for (size_t m = 1; m < members[c].size(); ++m) {
      EXPECT_LE(found->distance[members[c][m - 1]],
                found->distance[members[c][m]]);
    }
  }
}

TEST(ClustersTest, TheSameTwiceAndOnASample) {
  const UnitRows rows = RandomRows(400, 6, 5, 0.3, 11);
  ClusterOptions options;
  options.sample = 100;
  const absl::StatusOr<Clusters> one =
      FindClusters(rows, 5, options, EigenProduct, NoWatch);
  const absl::StatusOr<Clusters> two =
      FindClusters(rows, 5, options, EigenProduct, NoWatch);
  EXPECT_EQ(one->cluster, two->cluster);
  EXPECT_EQ(one->cluster.size(), 400);
  for (int64_t i = 0; i < rows.n; ++i) {
    EXPECT_EQ(one->cluster[i], one->cluster[i % 5]);
  }
}

TEST(ClustersTest, AsManyClustersAsCopiesOfOneImage) {
  const absl::StatusOr<UnitRows> rows = Normalize({1, 0, 1, 0, 1, 0}, 2, {});
  const absl::StatusOr<Clusters> found =
      FindClusters(*rows, 3, {}, EigenProduct, NoWatch);
  ASSERT_TRUE(found.ok());
  EXPECT_NEAR(found->cost(), 0, 1e-5);
  EXPECT_FALSE(FindClusters(*rows, 4, {}, EigenProduct, NoWatch).ok());
  EXPECT_FALSE(FindClusters(*rows, 0, {}, EigenProduct, NoWatch).ok());
  EXPECT_EQ(FindClusters(*rows, 2, {}, EigenProduct,
                         [](int64_t, int64_t) { return false; })
                .status()
                .code(),
            absl::StatusCode::kCancelled);
}

TEST(ClustersTest, SilhouetteIsThatOfTheDefinition) {
  const UnitRows rows = RandomRows(60, 4, 3, 0.6, 12);
  std::vector<int32_t> cluster(60);
  for (int64_t i = 0; i < 60; ++i) cluster[i] = static_cast<int32_t>(i % 4);
  cluster[59] = 7;  // alone
  std::vector<int64_t> of(60);
  std::iota(of.begin(), of.end(), 0);
  EXPECT_NEAR(Silhouette(rows, cluster, of, EigenProduct),
              SlowSilhouette(rows, cluster, of), 1e-5);
  of.resize(25);
  EXPECT_NEAR(Silhouette(rows, cluster, of, EigenProduct),
              SlowSilhouette(rows, cluster, of), 1e-5);
  EXPECT_TRUE(std::isnan(
      Silhouette(rows, std::vector<int32_t>(60, 0), of, EigenProduct)));
}

TEST(ClustersTest, TheNumberIsThatOfThePlantedGroups) {
  for (const int64_t groups : {3, 8}) {
    const UnitRows rows = RandomRows(240, 24, groups, 0.25, 13);
    const absl::StatusOr<int64_t> chosen =
        ChooseClusterCount(rows, {}, EigenProduct, NoWatch);
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(*chosen, groups);
  }
  EXPECT_EQ(*ChooseClusterCount(RandomRows(5, 3, 2, 1, 14), {}, EigenProduct,
                                NoWatch),
            1);
}

}  // namespace
}  // namespace gsg
