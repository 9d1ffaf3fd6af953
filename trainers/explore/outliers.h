#ifndef GSG_TRAINERS_EXPLORE_OUTLIERS_H_
#define GSG_TRAINERS_EXPLORE_OUTLIERS_H_

#include <cstdint>
#include <vector>

#include "trainers/explore/neighbors.h"

namespace gsg {

// How unusual each image is, two ways; both by Euclidean distances between unit
// rows, sqrt(2 - 2 cosine).
struct Outliers {
  // [n] to the k-th neighbor (Ramaswamy, Rastogi and Shim, SIGMOD 2000).
  std::vector<float> distance;
  // [n] the local outlier factor (Breunig, Kriegel, Ng and Sander, SIGMOD 2000)
  // over exactly k neighbors: about 1 inside a group, also a loose one, and
  // above it for what lies apart from the group that it is nearest to. As in
  // scikit-learn, 1e-10 is added to mean distances, for exact copies have none.
  std::vector<float> factor;
  // [n] all images, the most unusual first: by distance, then by factor.
  std::vector<int32_t> order;
};

// Of each image and its k = neighbors.k nearest.
Outliers FindOutliers(const Neighbors& neighbors);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_OUTLIERS_H_
