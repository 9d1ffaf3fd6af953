#ifndef GSG_TRAINERS_EXPLORE_CLUSTERS_H_
#define GSG_TRAINERS_EXPLORE_CLUSTERS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/explore/features.h"

namespace gsg {

// Groups of images around centers on the unit sphere. Numbered by size, the
// largest first.
struct Clusters {
  int64_t k = 0;
  std::vector<int32_t> cluster;  // [n] in 0 .. k - 1
  std::vector<float> distance;   // [n] 1 - cosine to the own center
  std::vector<float> centers;    // [k, d], unit rows
  // Mean silhouette (Silhouette below) of at most 2,000 images; NaN for k = 1.
  double silhouette = 0;

  // The sum of `distance`: what k-means makes small.
  double cost() const;
  // The members of each cluster, nearest to its center first: [k][...].
  std::vector<std::vector<int32_t>> Members() const;
};

struct ClusterOptions {
  // Each from another start, on at most `sample` images; the best goes on
  // with all images.
  int starts = 4;
  int iterations = 50;  // at most, of each
  int64_t sample = 20000;
  uint64_t seed = 0;
};

// Spherical k-means (Dhillon and Modha, Machine Learning 42, 2001), started by
// k-means++ (Arthur and Vassilvitskii, SODA 2007). A cluster that loses all
// its images starts again at the image that is farthest from its center. The
// same arguments give the same clusters.
// Errors: kInvalidArgument unless 1 <= k <= rows.n; kCancelled by `watch`.
absl::StatusOr<Clusters> FindClusters(const UnitRows& rows, int64_t k,
                                      const ClusterOptions& options,
                                      const Product& product, Watch watch);

// The number of clusters with the highest silhouette, of 2, 3, 4, 5, 6, 8, 10,
// 12, 15, 20, 25, 30, 40 and 50 as far as there are four images for each, each
// tried from at most two starts on at most 3,000 images. 1 for fewer than 8
// images.
absl::StatusOr<int64_t> ChooseClusterCount(const UnitRows& rows,
                                           const ClusterOptions& options,
                                           const Product& product, Watch watch);

// The mean over `of` (row numbers) of (b - a) / max(a, b) (Rousseeuw, 1987),
// by distances 1 - cosine among these rows: a is the mean distance to the
// own cluster's others, b the smallest mean distance to another cluster. 0 for
// an image that is alone in its cluster. NaN if there is only one cluster.
double Silhouette(const UnitRows& rows, absl::Span<const int32_t> cluster,
                  absl::Span<const int64_t> of, const Product& product);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_CLUSTERS_H_
