#include "trainers/explore/duplicates.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "gsg_core/executor.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

constexpr auto kAnyLooks = [](int64_t, int64_t) { return true; };

Neighbors NeighborsOf(const UnitRows& rows, int64_t k) {
  SerialExecutor serial;
  return *FindNeighbors(rows, rows, k, true, EigenProduct, serial, NoWatch);
}

constexpr int64_t kWidth = 48;

// Random rows, of which each 10th has a copy with a little noise at the end.
UnitRows WithCopies(int64_t n, double noise) {
  UnitRows rows = RandomRows(n, kWidth, n, 0, 4);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> values = rows.values;
  for (int64_t i = 0; i < n; i += 10) {
    for (const float value : rows.row(i)) {
      values.push_back(value + static_cast<float>(noise) * normal(random));
    }
  }
  return *Normalize(std::move(values), kWidth, {});
}

TEST(DuplicatesTest, FindsThePlantedOnes) {
  const int64_t n = 500;
  const UnitRows rows = WithCopies(n, 0.005);
  const Neighbors neighbors = NeighborsOf(rows, 10);
  const double threshold = DuplicateThreshold(neighbors, 3);
  EXPECT_GE(threshold, 0.8);
  const std::vector<DuplicateGroup> groups =
      FindDuplicates(rows, {{&neighbors, threshold}}, threshold, kAnyLooks);
  ASSERT_EQ(groups.size(), 50);
  for (size_t g = 0; g < groups.size(); ++g) {
    ASSERT_EQ(groups[g].members.size(), 2);
    EXPECT_EQ(groups[g].members[0].index, 10 * static_cast<int64_t>(g));
    EXPECT_EQ(groups[g].members[1].index, n + static_cast<int64_t>(g));
    EXPECT_NEAR(groups[g].members[1].cosine,
                SlowCosine(rows, groups[g].members[0].index, rows,
                           groups[g].members[1].index),
                1e-6);
  }
}

TEST(DuplicatesTest, TheThresholdIsThatOfTheFormula) {
  // Nearest distances 0.1 (three) and 0.2, 0.4, and a copy, which does not
  // count: of -log(distance) the median is -log(0.1), the deviations from it
  // are 0, 0, 0, log 2 and log 4, and their median is 0.
  Neighbors neighbors;
  neighbors.n = 6;
  neighbors.k = 1;
  neighbors.cosines = {0.9f, 0.8f, 0.9f, 0.6f, 0.9f, 1};
  neighbors.indices = {1, 0, 0, 0, 0, 0};
  EXPECT_NEAR(DuplicateThreshold(neighbors, 5), 0.9, 1e-6);
  // Distances 0.2 and 0.4 and 0.1: deviations log 2, 0, log 2.
  neighbors.n = 3;
  neighbors.cosines = {0.9f, 0.8f, 0.6f};
  EXPECT_NEAR(DuplicateThreshold(neighbors, 1),
              1 - 0.2 * std::exp(-1.4826 * std::log(2)), 1e-6);
  // Nothing but copies.
  neighbors.n = 1;
  neighbors.cosines = {1};
  EXPECT_NEAR(DuplicateThreshold(neighbors, 3), 0.9999, 1e-9);
}

// In the plane, at these angles in degrees.
UnitRows AtAngles(const std::vector<double>& angles) {
  std::vector<float> values;
  for (const double angle : angles) {
    values.push_back(static_cast<float>(std::cos(angle * M_PI / 180)));
    values.push_back(static_cast<float>(std::sin(angle * M_PI / 180)));
  }
  return *Normalize(std::move(values), 2, {});
}

// By the rows' k nearest alone.
std::vector<DuplicateGroup> Groups(
    const UnitRows& rows, int64_t k, double threshold,
    absl::FunctionRef<bool(int64_t, int64_t)> may_join) {
  const Neighbors neighbors = NeighborsOf(rows, k);
  return FindDuplicates(rows, {{&neighbors, threshold}}, threshold, may_join);
}

TEST(DuplicatesTest, AChainDoesNotJoinWhatIsFarFromTheFirst) {
  const UnitRows rows = AtAngles({0, 2, 4, 6, 8});
  const std::vector<DuplicateGroup> groups =
      Groups(rows, 4, std::cos(4.5 * M_PI / 180), kAnyLooks);
  ASSERT_EQ(groups.size(), 2);
  ASSERT_EQ(groups[0].members.size(), 3);
  EXPECT_EQ(groups[0].members[1].index, 1);
  EXPECT_EQ(groups[0].members[2].index, 2);
  ASSERT_EQ(groups[1].members.size(), 2);
  EXPECT_EQ(groups[1].members[0].index, 3);
}

TEST(DuplicatesTest, MoreCopiesThanNeighborsAreOneGroup) {
  // 30 copies, of which each knows 3: ties send all to the same three.
  const UnitRows rows = AtAngles(std::vector<double>(30, 10));
  const std::vector<DuplicateGroup> groups = Groups(rows, 3, 0.99, kAnyLooks);
  ASSERT_EQ(groups.size(), 1);
  EXPECT_EQ(groups[0].members.size(), 30);
}

TEST(DuplicatesTest, LooksHaveTheLastWord) {
  const UnitRows rows = AtAngles({0, 0, 0});
  const std::vector<DuplicateGroup> groups = Groups(
      rows, 2, 0.99,
      [](int64_t first, int64_t candidate) { return first + candidate != 1; });
  ASSERT_EQ(groups.size(), 1);
  ASSERT_EQ(groups[0].members.size(), 2);
  EXPECT_EQ(groups[0].members[0].index, 0);
  EXPECT_EQ(groups[0].members[1].index, 2);
}

TEST(DuplicatesTest, OtherRowsProposePairsToo) {
  // Of 0 .. 3, features know only that 0 and 1 are near each other.
  const UnitRows rows = AtAngles({0, 1, 90, 180});
  const Neighbors features = NeighborsOf(rows, 1);
  const Neighbors pictures = NeighborsOf(AtAngles({0, 90, 2, 92}), 1);
  const std::vector<ProposedPairs> both = {{&features, 0.99}, {&pictures, 0.9}};
  const auto members = [&](double least) {
    std::vector<std::vector<int64_t>> all;
    for (const DuplicateGroup& group :
         FindDuplicates(rows, both, least, kAnyLooks)) {
      all.emplace_back();
      for (const auto& member : group.members) {
        all.back().push_back(member.index);
      }
    }
    return all;
  };
  EXPECT_EQ(members(-1), (std::vector<std::vector<int64_t>>{{0, 1, 2, 3}}));
  // 2 is at 90 degrees, 3 at 180.
  EXPECT_EQ(members(-0.5), (std::vector<std::vector<int64_t>>{{0, 1, 2}}));
  EXPECT_EQ(members(0.9), (std::vector<std::vector<int64_t>>{{0, 1}}));
}

TEST(DuplicatesTest, HistogramByPowersOfTen) {
  Neighbors neighbors;
  neighbors.n = 5;
  neighbors.k = 1;
  neighbors.cosines = {-0.5f, 0.5f, 0.95f, 0.9999999f, 1};
  neighbors.indices = {0, 0, 0, 0, 0};
  // Bins from 0, 0.9, 0.99 and 0.999.
  EXPECT_EQ(NearestHistogram(neighbors, 4, 4),
            (std::vector<int64_t>{2, 1, 0, 2}));
}

}  // namespace
}  // namespace gsg
