#ifndef GSG_TESTS_TRAINERS_EVALUATE_RANDOM_FEATURES_H_
#define GSG_TESTS_TRAINERS_EVALUATE_RANDOM_FEATURES_H_

#include <cstdint>
#include <random>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "gtest/gtest.h"

namespace gsg {

// Seeded labeled features for tests; the seed is recorded with the test.
class RandomFeatures {
 public:
  explicit RandomFeatures(unsigned seed) : generator_(seed) {
    testing::Test::RecordProperty("seed", static_cast<int>(seed));
  }

  // n rows of width d in Gaussian classes around fixed unit centers; at
  // `noise` near 1 the classes overlap. Returns features and labels.
  std::pair<at::Tensor, at::Tensor> Classes(int64_t n, int64_t d,
                                            int64_t classes, double noise) {
    std::normal_distribution<float> normal;
    at::Tensor features = at::empty({n, d});
    at::Tensor labels = at::empty({n}, features.options().dtype(at::kLong));
    auto x = features.accessor<float, 2>();
    auto y = labels.accessor<int64_t, 1>();
    for (int64_t i = 0; i < n; ++i) {
      y[i] = i % classes;
      for (int64_t j = 0; j < d; ++j) {
        x[i][j] = (j == y[i] % d ? 1.0f : 0.0f) +
                  static_cast<float>(noise) * normal(generator_);
      }
    }
    return {features, labels};
  }

 private:
  std::mt19937 generator_;
};

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_EVALUATE_RANDOM_FEATURES_H_
