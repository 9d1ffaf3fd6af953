#include "trainers/explore/neighbor_graph.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/executor.h"
#include "gsg_core/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

Neighbors Exact(const UnitRows& rows, int64_t k) {
  SerialExecutor serial;
  return *FindNeighbors(rows, rows, k, true, EigenProduct, serial, NoWatch);
}

// The share of the nearest that is there, counted by number, the slow way.
double SlowRecall(const Neighbors& exact, const Neighbors& found) {
  int64_t right = 0;
  for (int64_t i = 0; i < exact.n; ++i) {
    for (const int32_t j : exact.of(i)) {
      right += std::count(found.of(i).begin(), found.of(i).end(), j);
    }
  }
  return static_cast<double>(right) / static_cast<double>(exact.n * exact.k);
}

TEST(NeighborGraphTest, FindsNearlyAllOfTheNearest) {
  const UnitRows rows = RandomRows(3000, 24, 20, 0.5, 1);
  const Neighbors exact = Exact(rows, 10);
  ThreadPool threads(3);
  SerialExecutor serial;
  for (Executor* executor :
       {static_cast<Executor*>(&threads), static_cast<Executor*>(&serial)}) {
    const absl::StatusOr<Neighbors> found =
        FindNeighborsByGraph(rows, 10, {}, *executor, NoWatch);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->n, 3000);
    ASSERT_EQ(found->k, 10);
    EXPECT_GT(SlowRecall(exact, *found), 0.95);
    for (int64_t i = 0; i < rows.n; ++i) {
      for (int64_t place = 0; place < 10; ++place) {
        const int32_t j = found->of(i)[place];
        ASSERT_NE(j, i);
        ASSERT_NEAR(found->cosines_of(i)[place], SlowCosine(rows, i, rows, j),
                    1e-5);
        if (place > 0) {
          ASSERT_LE(found->cosines_of(i)[place],
                    found->cosines_of(i)[place - 1]);
        }
      }
    }
    const absl::StatusOr<double> recall =
        Recall(rows, *found, 10, rows.n, EigenProduct, serial);
    ASSERT_TRUE(recall.ok());
    EXPECT_NEAR(*recall, SlowRecall(exact, *found), 2e-3);
  }
}

TEST(NeighborGraphTest, RecallSeesWhatIsMissing) {
  const UnitRows rows = RandomRows(500, 24, 20, 0.5, 2);
  SerialExecutor serial;
  const Neighbors exact = Exact(rows, 6);
  EXPECT_EQ(*Recall(rows, exact, 6, 500, EigenProduct, serial), 1);
  // Without the nearest: of the first five, the last is a sixth.
  Neighbors shifted = exact.First(5);
  for (int64_t i = 0; i < rows.n; ++i) {
    for (int64_t place = 0; place < 5; ++place) {
      shifted.indices[5 * i + place] = exact.of(i)[place + 1];
      shifted.cosines[5 * i + place] = exact.cosines_of(i)[place + 1];
    }
  }
  EXPECT_NEAR(*Recall(rows, shifted, 5, 500, EigenProduct, serial), 0.8, 1e-9);
}

TEST(NeighborGraphTest, FewRowsAndManyCopies) {
  SerialExecutor serial;
  const UnitRows two = RandomRows(2, 5, 2, 0.5, 3);
  const absl::StatusOr<Neighbors> found =
      FindNeighborsByGraph(two, 10, {}, serial, NoWatch);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->indices, (std::vector<int32_t>{1, 0}));
  UnitRows copies = two;
  for (copies.n = 300; copies.values.size() < 1500;) {
    copies.values.push_back(copies.values[copies.values.size() - 5]);
  }
  const absl::StatusOr<Neighbors> same =
      FindNeighborsByGraph(copies, 10, {}, serial, NoWatch);
  ASSERT_TRUE(same.ok());
  for (int64_t i = 2; i < copies.n; ++i) {
    EXPECT_NEAR(same->cosines_of(i)[0], 1, 1e-6);
  }
}

TEST(NeighborGraphTest, Errors) {
  SerialExecutor serial;
  const UnitRows rows = RandomRows(5000, 4, 5, 0.5, 4);
  EXPECT_EQ(FindNeighborsByGraph(rows, 0, {}, serial, NoWatch).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      FindNeighborsByGraph(RandomRows(1, 4, 1, 0, 4), 1, {}, serial, NoWatch)
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FindNeighborsByGraph(
                rows, 1, {}, serial,
                [](int64_t done, int64_t all) { return done < all / 4; })
                .status()
                .code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace gsg
