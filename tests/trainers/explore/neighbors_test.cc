#include "trainers/explore/neighbors.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/executor.h"
#include "gsg_core/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"

namespace gsg {
namespace {

// Against sorting all cosines, computed in double: the cosines are the same;
// which of two rows comes first, where they differ by rounding, is not asked.
void ExpectAsSlow(const UnitRows& bank, const UnitRows& queries, int64_t k,
                  bool themselves, const Neighbors& found) {
  ASSERT_EQ(found.n, queries.n);
  ASSERT_EQ(found.k, std::min(k, bank.n - (themselves ? 1 : 0)));
  for (int64_t q = 0; q < queries.n; ++q) {
    std::vector<double> cosines;
    for (int64_t b = 0; b < bank.n; ++b) {
      if (!themselves || b != q) {
        cosines.push_back(SlowCosine(queries, q, bank, b));
      }
    }
    std::sort(cosines.rbegin(), cosines.rend());
    std::vector<int32_t> seen;
    for (int64_t j = 0; j < found.k; ++j) {
      const int32_t b = found.of(q)[j];
      ASSERT_NEAR(found.cosines_of(q)[j], cosines[j], 1e-5) << q << ", " << j;
      ASSERT_NEAR(SlowCosine(queries, q, bank, b), cosines[j], 1e-5);
      if (themselves) {
        ASSERT_NE(b, q);
      }
      seen.push_back(b);
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
  }
}

TEST(NeighborsTest, AreThoseOfSortingAllCosines) {
  for (const int64_t n : {2, 63, 64, 65, 300}) {
    const UnitRows rows = RandomRows(n, 17, 5, 0.5, 1);
    for (const int64_t k : {1, 10}) {
      ThreadPool threads(3);
      const absl::StatusOr<Neighbors> found = FindNeighbors(
          rows, rows, k, /*themselves=*/true, EigenProduct, threads, NoWatch);
      ASSERT_TRUE(found.ok()) << found.status();
      ExpectAsSlow(rows, rows, k, true, *found);
    }
  }
}

TEST(NeighborsTest, OfOthersOverSeveralBlocks) {
  // Blocks are of 2,048 rows.
  const UnitRows bank = RandomRows(8300, 4, 50, 0.5, 2);
  const UnitRows queries = RandomRows(2100, 4, 50, 0.5, 3);
  SerialExecutor serial;
  const absl::StatusOr<Neighbors> found = FindNeighbors(
      bank, queries, 3, /*themselves=*/false, EigenProduct, serial, NoWatch);
  ASSERT_TRUE(found.ok());
  UnitRows last = queries;
  last.n = 1;
  last.values.assign(queries.row(2099).begin(), queries.row(2099).end());
  const absl::StatusOr<Neighbors> alone = FindNeighbors(
      bank, last, 3, /*themselves=*/false, EigenProduct, serial, NoWatch);
  ExpectAsSlow(bank, last, 3, false, *alone);
  for (int64_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(alone->cosines[j], found->cosines_of(2099)[j], 1e-6);
  }
}

TEST(NeighborsTest, TiesGoToTheLowerRow) {
  // Four times the same row.
  const absl::StatusOr<UnitRows> rows =
      Normalize({1, 0, 1, 0, 1, 0, 1, 0}, 2, {});
  SerialExecutor serial;
  const absl::StatusOr<Neighbors> found =
      FindNeighbors(*rows, *rows, 2, true, EigenProduct, serial, NoWatch);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->indices, (std::vector<int32_t>{1, 2, 0, 2, 0, 1, 0, 1}));
  EXPECT_EQ(found->cosines, std::vector<float>(8, 1));
}

TEST(NeighborsTest, TheFirstOfMoreAreThoseOfFewer) {
  const UnitRows rows = RandomRows(40, 6, 4, 0.5, 20);
  SerialExecutor serial;
  const absl::StatusOr<Neighbors> more =
      FindNeighbors(rows, rows, 9, true, EigenProduct, serial, NoWatch);
  const absl::StatusOr<Neighbors> fewer =
      FindNeighbors(rows, rows, 4, true, EigenProduct, serial, NoWatch);
  const Neighbors first = more->First(4);
  EXPECT_EQ(first.n, 40);
  EXPECT_EQ(first.k, 4);
  EXPECT_EQ(first.indices, fewer->indices);
  EXPECT_EQ(first.cosines, fewer->cosines);
  EXPECT_EQ(more->First(100).indices, more->indices);
}

TEST(NeighborsTest, ErrorsAndInterrupts) {
  const UnitRows rows = RandomRows(3, 2, 1, 1, 1);
  const UnitRows wide = RandomRows(3, 5, 1, 1, 1);
  const UnitRows one = RandomRows(1, 2, 1, 1, 1);
  SerialExecutor serial;
  const auto code = [&](const UnitRows& bank, const UnitRows& queries,
                        int64_t k, bool themselves) {
    return FindNeighbors(bank, queries, k, themselves, EigenProduct, serial,
                         NoWatch)
        .status()
        .code();
  };
  EXPECT_EQ(code(rows, wide, 1, false), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(rows, rows, 0, true), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(one, one, 1, true), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(one, one, 1, false), absl::StatusCode::kOk);
  EXPECT_EQ(FindNeighbors(rows, rows, 1, true, EigenProduct, serial,
                          [](int64_t, int64_t) { return false; })
                .status()
                .code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace gsg
