#ifndef GSG_TESTS_TRAINERS_EXPLORE_RANDOM_ROWS_H_
#define GSG_TESTS_TRAINERS_EXPLORE_RANDOM_ROWS_H_

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "trainers/explore/features.h"

namespace gsg {

// `n` rows around `groups` random directions, row i around direction
// i % groups: unit rows, with `noise` as the deviation of each value.
inline UnitRows RandomRows(int64_t n, int64_t d, int64_t groups, double noise,
                           uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centers(groups * d), values(n * d);
  for (float& value : centers) value = normal(random);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < d; ++c) {
      values[i * d + c] = centers[i % groups * d + c] +
                          static_cast<float>(noise) * normal(random);
    }
  }
  return *Normalize(std::move(values), d, {});
}

// The cosine of two rows, the slow way.
inline double SlowCosine(const UnitRows& a, int64_t i, const UnitRows& b,
                         int64_t j) {
  double sum = 0;
  for (int64_t c = 0; c < a.d; ++c) {
    sum += static_cast<double>(a.row(i)[c]) * b.row(j)[c];
  }
  return sum;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_EXPLORE_RANDOM_ROWS_H_
