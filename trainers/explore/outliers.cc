#include "trainers/explore/outliers.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "trainers/explore/neighbors.h"

namespace gsg {

Outliers FindOutliers(const Neighbors& neighbors) {
  const int64_t n = neighbors.n;
  const int64_t k = neighbors.k;
  const auto distance = [](float cosine) {
    return std::sqrt(std::max(0., 2 - 2. * cosine));
  };
  Outliers result;
  result.distance.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    result.distance[i] =
        static_cast<float>(distance(neighbors.cosines_of(i)[k - 1]));
  }
  // Local reachability density: from each neighbor at least its own k-th
  // distance away.
  std::vector<double> density(n);
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < k; ++j) {
      sum += std::max<double>(distance(neighbors.cosines_of(i)[j]),
                              result.distance[neighbors.of(i)[j]]);
    }
    density[i] = 1 / (sum / static_cast<double>(k) + 1e-10);
  }
  result.factor.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (const int32_t j : neighbors.of(i)) sum += density[j];
    result.factor[i] =
        static_cast<float>(sum / static_cast<double>(k) / density[i]);
  }
  result.order.resize(n);
  std::iota(result.order.begin(), result.order.end(), 0);
  std::stable_sort(result.order.begin(), result.order.end(),
                   [&](int32_t a, int32_t b) {
                     if (result.distance[a] != result.distance[b]) {
                       return result.distance[a] > result.distance[b];
                     }
                     return result.factor[a] > result.factor[b];
                   });
  return result;
}

}  // namespace gsg
