#ifndef GSG_TRAINERS_EXPLORE_LAYOUT_H_
#define GSG_TRAINERS_EXPLORE_LAYOUT_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {

struct LayoutOptions {
  int epochs = 0;  // 0: 500 up to 10,000 images, else 200
  uint64_t seed = 0;
};

// A map: places in the plane such that neighbors lie near each other. Made
// from the graph of neighbors alone, in time linear in the number of images:
// UMAP's weights and sampling (McInnes, Healy and Melville, arXiv 1802.03426),
// with LargeVis's kernel 1 / (1 + d^2) (Tang, Liu, Zhang and Mei, WWW 2016),
// from the first two principal components of the rows. On one thread: the same
// arguments give the same map.
// Memory: 16 bytes for each of the graph's at most 2 n k ends.
// Errors: kInvalidArgument if rows.n is not neighbors.n; kCancelled by `watch`.
absl::StatusOr<std::vector<std::array<float, 2>>> MapLayout(
    const UnitRows& rows, const Neighbors& neighbors,
    const LayoutOptions& options, Watch watch);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_LAYOUT_H_
