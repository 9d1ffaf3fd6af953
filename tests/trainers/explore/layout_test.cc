#include "trainers/explore/layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/executor.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

using Places = std::vector<std::array<float, 2>>;

Neighbors NeighborsOf(const UnitRows& rows, int64_t k) {
  SerialExecutor serial;
  return *FindNeighbors(rows, rows, k, true, EigenProduct, serial, NoWatch);
}

// The share of images whose nearest one on the map is of the same group.
double SameGroup(const Places& places, int64_t groups) {
  int64_t same = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    size_t nearest = i;
    float least = INFINITY;
    for (size_t j = 0; j < places.size(); ++j) {
      const float distance =
          std::hypot(places[i][0] - places[j][0], places[i][1] - places[j][1]);
      if (j != i && distance < least) {
        least = distance;
        nearest = j;
      }
    }
    same += static_cast<int64_t>(i) % groups ==
            static_cast<int64_t>(nearest) % groups;
  }
  return static_cast<double>(same) / static_cast<double>(places.size());
}

TEST(LayoutTest, GroupsThatAPlaneOfTheRowsDoesNotShowComeApart) {
  constexpr int64_t kGroups = 12;
  const UnitRows rows = RandomRows(360, 32, kGroups, 0.5, 16);
  const Neighbors neighbors = NeighborsOf(rows, 10);
  const absl::StatusOr<Places> map = MapLayout(rows, neighbors, {}, NoWatch);
  ASSERT_TRUE(map.ok());
  EXPECT_GT(SameGroup(*map, kGroups), 0.97);
  // Where it starts.
  LayoutOptions short_one;
  short_one.epochs = 1;
  const absl::StatusOr<Places> start =
      MapLayout(rows, neighbors, short_one, NoWatch);
  EXPECT_LT(SameGroup(*start, kGroups), 0.9);
}

TEST(LayoutTest, TheSameTwice) {
  const UnitRows rows = RandomRows(50, 8, 3, 0.5, 17);
  const Neighbors neighbors = NeighborsOf(rows, 5);
  EXPECT_EQ(*MapLayout(rows, neighbors, {}, NoWatch),
            *MapLayout(rows, neighbors, {}, NoWatch));
}

TEST(LayoutTest, CopiesAndTwoImages) {
  const absl::StatusOr<UnitRows> copies =
      Normalize({1, 0, 1, 0, 1, 0, 1, 0}, 2, {});
  const absl::StatusOr<Places> map =
      MapLayout(*copies, NeighborsOf(*copies, 3), {}, NoWatch);
  ASSERT_TRUE(map.ok());
  for (const std::array<float, 2>& at : *map) {
    EXPECT_TRUE(std::isfinite(at[0]) && std::isfinite(at[1]));
  }
  const UnitRows two = RandomRows(2, 3, 2, 0, 18);
  EXPECT_EQ(MapLayout(two, NeighborsOf(two, 1), {}, NoWatch)->size(), 2);
}

TEST(LayoutTest, ErrorsAndInterrupts) {
  const UnitRows rows = RandomRows(9, 3, 2, 1, 19);
  const UnitRows fewer = RandomRows(8, 3, 2, 1, 19);
  const Neighbors neighbors = NeighborsOf(rows, 2);
  EXPECT_EQ(MapLayout(fewer, neighbors, {}, NoWatch).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      MapLayout(rows, neighbors, {}, [](int64_t, int64_t) { return false; })
          .status()
          .code(),
      absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace gsg
