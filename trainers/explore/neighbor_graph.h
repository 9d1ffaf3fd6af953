#ifndef GSG_TRAINERS_EXPLORE_NEIGHBOR_GRAPH_H_
#define GSG_TRAINERS_EXPLORE_NEIGHBOR_GRAPH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "gsg_core/executor.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {

// hnswlib's parameters, by their names there.
struct GraphOptions {
  int64_t m = 16;                 // links of a row
  int64_t ef_construction = 100;  // candidates for them
  int64_t ef = 64;                // candidates of a search; k, if that is more
  uint64_t seed = 0;
};

// Approximately the k nearest rows of each row, by a hierarchical navigable
// small world graph (Malkov and Yashunin, arXiv 1603.09320; hnswlib): time
// grows as n log n, where FindNeighbors takes n^2. A few of the nearest may be
// missed, and others be in their place (Recall below); cosines are exact. On
// more than one thread the graph, and so what is missed, differs from call to
// call.
// Memory beyond the result: about 8 m + 130 bytes a row, e.g. 260 MB for a
// million rows; the rows are not copied.
// Errors: kInvalidArgument if k < 1, or there are fewer than 2 or more than
// 2^31 - 1 rows; kResourceExhausted without that memory; kCancelled by `watch`,
// which is told rows, each counted twice.
absl::StatusOr<Neighbors> FindNeighborsByGraph(const UnitRows& rows, int64_t k,
                                               const GraphOptions& options,
                                               Executor& executor, Watch watch);

// The share of the truly nearest rows that `neighbors` has, over `count` rows
// at even distances and the first `k` of each; a row as near as the k-th counts
// for it. Time: 2 count n d operations.
// Errors: those of FindNeighbors.
absl::StatusOr<double> Recall(const UnitRows& rows, const Neighbors& neighbors,
                              int64_t k, int64_t count, const Product& product,
                              Executor& executor);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_NEIGHBOR_GRAPH_H_
