#ifndef GSG_TRAINERS_EXPLORE_NEIGHBORS_H_
#define GSG_TRAINERS_EXPLORE_NEIGHBORS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/executor.h"
#include "trainers/explore/features.h"

namespace gsg {

// The k nearest rows of each of n rows, nearest first; of equally near ones the
// lower row number comes first.
struct Neighbors {
  int64_t n = 0;
  int64_t k = 0;
  std::vector<int32_t> indices;  // [n, k]
  std::vector<float> cosines;    // [n, k], in -1 .. 1

  absl::Span<const int32_t> of(int64_t i) const {
    return absl::MakeConstSpan(indices).subspan(i * k, k);
  }
  absl::Span<const float> cosines_of(int64_t i) const {
    return absl::MakeConstSpan(cosines).subspan(i * k, k);
  }
  // The `count` nearest of each only, 1 <= count; all if there are no more.
  Neighbors First(int64_t count) const;
};

// Exact: all cosines, in blocks. Finds the k rows of `bank` with the highest
// cosine to each row of `queries`; k is lowered to what there is.
// themselves: the two are the same rows, and a row is not its own neighbor.
// Time: 2 n m d operations. Memory beyond the result: 16 MiB for a block.
// Errors: kInvalidArgument if widths differ, k < 1, the bank is empty (or has
// one row, for `themselves`) or has more than 2^31 - 1 rows; kCancelled by
// `watch`, which is told queries.
absl::StatusOr<Neighbors> FindNeighbors(const UnitRows& bank,
                                        const UnitRows& queries, int64_t k,
                                        bool themselves, const Product& product,
                                        Executor& executor, Watch watch);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_NEIGHBORS_H_
