#ifndef GSG_TESTS_GSG_CORE_LOSS_CHECKS_H_
#define GSG_TESTS_GSG_CORE_LOSS_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <utility>
#include <vector>

#include "gsg_core/distance.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/norm.h"
#include "gsg_core/pairing.h"
#include "gsg_core/reference.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

// Implementations of GuidedLoss, on whatever machine, against the reference.
namespace gsg {

// Rows with different paddings, all multiples of `unit` elements.
template <typename T>
std::vector<Buffer<T>> Buffers(int count, int64_t n, int64_t d,
                               int64_t unit = 1) {
  std::vector<Buffer<T>> buffers;
  for (int k = 0; k < count; ++k) buffers.emplace_back(n, d, k % 4 * unit);
  return buffers;
}

template <typename T>
double RowNorm(const T* row, int64_t n) {
  long double sum = 0;
  for (int64_t c = 0; c < n; ++c) {
    const long double value = row[c];
    sum += value * value;
  }
  return static_cast<double>(std::sqrt(sum));
}

// How far the two closest distances of a row are from where kMargin changes its
// mind.
inline double MarginGap(std::vector<double> distances, double margin) {
  std::sort(distances.begin(), distances.end());
  return std::abs(distances[0] - (1 - margin) * distances[1]);
}

// Error of a row's distances.
template <typename T, typename Distances>
double DistanceError(const Distances& distances, int64_t d) {
  return CosineError<T>(d) *
         std::max(1., static_cast<double>(*std::max_element(distances.begin(),
                                                            distances.end())));
}

// Where the choices differ, the one taken must be as good within the error of
// the distances. True if all are equal.
template <typename T>
bool CheckChoices(const LossResult& result,
                  const reference::Result<T>& expected,
                  const LossOptions& options, int64_t d) {
  for (size_t i = 0; i < expected.pair.size(); ++i) {
    if (result.pair[i] == expected.pair[i]) continue;
    const auto& distances = expected.distances[i];
    const bool all_views =
        result.pair[i] == kAllViews || expected.pair[i] == kAllViews;
    const double gap =
        all_views
            ? MarginGap({distances.begin(), distances.end()}, options.margin)
            : std::abs(static_cast<double>(distances[result.pair[i]] -
                                           distances[expected.pair[i]]));
    EXPECT_LE(gap, DistanceError<T>(distances, d))
        << "row " << i << " " << SelectionName(options.selection);
  }
  return result.pair == expected.pair;
}

// Error of a row's weights. Those of kSoft are a softmax of distances divided
// by the temperature, whose probabilities move, added up, by no more than its
// arguments do; others are exact.
template <typename T, typename Distances>
double WeightError(const Distances& distances, const LossOptions& options,
                   int64_t d) {
  if (options.selection != Selection::kSoft) return 0;
  return std::min(1., DistanceError<T>(distances, d) / options.temperature);
}

// The largest WeightError of a batch.
template <typename T>
double WeightError(const reference::Result<T>& expected,
                   const LossOptions& options, int64_t d) {
  double error = 0;
  for (const auto& distances : expected.distances) {
    error = std::max(error, WeightError<T>(distances, options, d));
  }
  return error;
}

template <typename T, typename Wide>
void CheckGradient(const Buffer<T>& grad, const Buffer<Wide>& expected,
                   Rows<const T> p, double grad_scale, double weight_error,
                   double roles) {
  const int64_t n = p.rows(), d = p.cols();
  ASSERT_TRUE(grad.PaddingIsNan());
  for (int64_t i = 0; i < n; ++i) {
    const double p_norm = std::max(RowNorm(p.row(i), d), kNormEpsilon);
    // The largest weight of a view is that of all its roles; GradientError is
    // of both that a shared image has in a permutation.
    const double tolerance =
        std::max(1., roles / 2) * (GradientError<T>(d, grad_scale / n, p_norm) +
                                   weight_error * grad_scale / n / p_norm);
    for (int64_t c = 0; c < d; ++c) {
      const double value = static_cast<double>(expected(i, c));
      if (std::abs(value) + tolerance > Limits<T>::kMax &&
          std::isinf(static_cast<double>(grad(i, c)))) {
        ASSERT_GT(grad(i, c) * value, 0);  // beyond the range of T
        continue;
      }
      ASSERT_NEAR(grad(i, c), value, tolerance)
          << "row " << i << ", column " << c;
    }
  }
}

// Both forms at the values of p11, p12, p21, p22, z11, z12, z21, z22, by each
// of the implementations, whose Run(views, options, &grads) is GuidedLoss and
// whose name() errors say. Counts the calls, and those in which all choices
// were the reference's. Gradients are padded by multiples of `unit` elements.
template <typename T, typename Implementation>
void CheckBatch(const std::vector<Implementation>& implementations,
                const std::vector<Buffer<T>>& in,
                const std::vector<int64_t>& pairing, const LossOptions& options,
                int& calls, int& same_choices, int64_t unit = 1) {
  using Wide = reference::Wide<T>;
  const int64_t n = in[0].rows().rows(), d = in[0].rows().cols();
  const FourViews<T> four = {in[0].rows(), in[1].rows(), in[2].rows(),
                             in[3].rows(), in[4].rows(), in[5].rows(),
                             in[6].rows(), in[7].rows()};
  const SharedViews<T> shared = {in[0].rows(), in[1].rows(), in[4].rows(),
                                 in[5].rows(), pairing};
  std::vector<int64_t> images(n, 1);
  for (const int64_t second : pairing) ++images[second];
  const double roles = *std::max_element(images.begin(), images.end());
  std::vector<Buffer<Wide>> wide = Buffers<Wide>(6, n, d);
  const FourViewGrads<Wide> wide_four = {wide[0].rows(), wide[1].rows(),
                                         wide[2].rows(), wide[3].rows()};
  const SharedGrads<Wide> wide_shared = {wide[4].rows(), wide[5].rows()};
  const auto expected_four =
      reference::GuidedLoss<T>(four, options, &wide_four);
  const auto expected_shared =
      reference::GuidedLoss<T>(shared, options, &wide_shared);

  for (const Implementation& implementation : implementations) {
    SCOPED_TRACE(implementation.name());
    std::vector<Buffer<T>> grad = Buffers<T>(6, n, d, unit);
    const FourViewGrads<T> grads_four = {grad[0].rows(), grad[1].rows(),
                                         grad[2].rows(), grad[3].rows()};
    const SharedGrads<T> grads_shared = {grad[4].rows(), grad[5].rows()};
    const auto result_four = implementation.Run(four, options, &grads_four);
    const auto result_shared =
        implementation.Run(shared, options, &grads_shared);
    ASSERT_TRUE(result_four.ok()) << result_four.status();
    ASSERT_TRUE(result_shared.ok()) << result_shared.status();
    calls += 2;
    if (CheckChoices(*result_four, expected_four, options, d)) {
      ++same_choices;
      const double weight_error = WeightError(expected_four, options, d);
      EXPECT_NEAR(result_four->loss, static_cast<double>(expected_four.loss),
                  CosineError<T>(d) + weight_error);
      for (int v = 0; v < 4; ++v) {
        CheckGradient(grad[v], wide[v], in[v].rows(), options.grad_scale,
                      weight_error, /*roles=*/1);
      }
    }
    if (CheckChoices(*result_shared, expected_shared, options, d)) {
      ++same_choices;
      const double weight_error = WeightError(expected_shared, options, d);
      EXPECT_NEAR(result_shared->loss,
                  static_cast<double>(expected_shared.loss),
                  CosineError<T>(d) + weight_error);
      for (int v = 0; v < 2; ++v) {
        CheckGradient(grad[4 + v], wide[4 + v], in[v].rows(),
                      options.grad_scale, weight_error, roles);
      }
    }
    if (testing::Test::HasFailure()) return;
  }
}

// CheckBatch with every distance and selection.
template <typename T, typename Implementation>
void CheckEveryOption(const std::vector<Implementation>& implementations,
                      const std::vector<Buffer<T>>& in, int& calls,
                      int& same_choices, int64_t unit = 1) {
  const int64_t n = in[0].rows().rows();
  const std::vector<int64_t> pairing =
      *MakePairing(n == 1 ? PairingKind::kRandom : PairingKind::kCyclic, n, 1);
  for (Distance distance :
       {Distance::kEuclidean, Distance::kSquaredEuclidean, Distance::kCosine}) {
    for (Selection selection :
         {Selection::kMin, Selection::kMax, Selection::kRandom,
          Selection::kNone, Selection::kSoft, Selection::kMargin}) {
      SCOPED_TRACE(testing::Message() << n << " x " << in[0].rows().cols()
                                      << " " << DistanceName(distance) << " "
                                      << SelectionName(selection));
      LossOptions options;
      options.distance = distance;
      options.selection = selection;
      options.seed = 11;
      options.temperature = 0.5;
      options.margin = 0.05;
      options.grad_scale = 3;
      CheckBatch(implementations, in, pairing, options, calls, same_choices,
                 unit);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// Local crops, of ordinary and of extreme values, in a permutation and a map.
template <typename T, typename Implementation>
void CheckLocalCrops(const std::vector<Implementation>& implementations,
                     uint64_t seed, int64_t cols, int64_t unit = 1) {
  using Wide = reference::Wide<T>;
  constexpr int64_t kRows = 37;
  std::mt19937_64 generator(seed);
  auto in = Buffers<T>(7, kRows, cols, unit);
  for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
  // Where sums leave the middle of the range: the slow path.
  for (int64_t c = 0; c < cols; ++c) {
    in[4](3, c) = T(0.f), in[5](8, c) = T(0.f), in[2](11, c) = T(0.f);
  }
  std::vector<int64_t> map = *CyclicPairing(kRows, 2);
  for (const bool permutation : {true, false}) {
    if (!permutation) map[4] = map[5] = map[30] = 9;
    const std::vector<Rows<const T>> locals = {in[4].rows(), in[5].rows(),
                                               in[6].rows()};
    const SharedViews<T> views = {in[0].rows(), in[1].rows(), in[2].rows(),
                                  in[3].rows(), map,          locals};
    for (Selection selection :
         {Selection::kMin, Selection::kRandom, Selection::kNone,
          Selection::kSoft, Selection::kMargin}) {
      LossOptions options;
      options.selection = selection;
      options.grad_scale = kRows;
      auto wide = Buffers<Wide>(5, kRows, cols);
      const std::vector<Rows<Wide>> wide_locals = {
          wide[2].rows(), wide[3].rows(), wide[4].rows()};
      const SharedGrads<Wide> wide_grads = {wide[0].rows(), wide[1].rows(),
                                            wide_locals};
      const auto expected =
          reference::GuidedLoss<T>(views, options, &wide_grads);
      for (const Implementation& implementation : implementations) {
        SCOPED_TRACE(implementation.name());
        auto grad = Buffers<T>(5, kRows, cols, unit);
        const std::vector<Rows<T>> local_grads = {
            grad[2].rows(), grad[3].rows(), grad[4].rows()};
        const SharedGrads<T> grads = {grad[0].rows(), grad[1].rows(),
                                      local_grads};
        const auto result = implementation.Run(views, options, &grads);
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_EQ(result->pair, expected.pair);
        const double weight_error = WeightError(expected, options, cols);
        EXPECT_NEAR(result->loss, static_cast<double>(expected.loss),
                    CosineError<T>(cols) + weight_error);
        const SharedGrads<T>* none = nullptr;
        EXPECT_EQ(implementation.Run(views, options, none)->loss, result->loss);
        for (int v = 0; v < 5; ++v) {
          CheckGradient<T, Wide>(grad[v], wide[v], in[v < 2 ? v : v + 2].rows(),
                                 options.grad_scale, weight_error,
                                 /*roles=*/permutation ? 2 : 5);
        }
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

// Rows of very large, very small and zero values beside ordinary ones.
template <typename T, typename Implementation>
void CheckExtremeValues(const std::vector<Implementation>& implementations,
                        uint64_t seed, int64_t cols, int& calls,
                        int& same_choices, int64_t unit = 1) {
  const double largest = Limits<T>::kMax;
  const double denormal = Limits<T>::kDenormMin * 1000;
  const double scales[] = {largest,
                           denormal,
                           1,
                           0,
                           1e-8,
                           std::sqrt(largest),
                           1 / std::sqrt(largest)};
  std::mt19937_64 generator(seed);
  std::uniform_int_distribution<int> pick(0, std::size(scales) - 1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  auto in = Buffers<T>(8, 60, cols, unit);
  for (auto& b : in) {
    for (int64_t i = 0; i < 60; ++i) {
      const double scale = scales[pick(generator)];
      for (int64_t c = 0; c < cols; ++c) {
        b(i, c) = static_cast<T>(scale * uniform(generator));
      }
    }
  }
  CheckEveryOption(implementations, in, calls, same_choices, unit);
}

// ||x/||x|| - y/||y||||^2 / 2, which is 1 - cos without its cancellation.
template <typename T>
long double CosineDistanceOf(const T* x, const T* y, int64_t d) {
  long double xx = 0, yy = 0, sum = 0;
  for (int64_t c = 0; c < d; ++c) {
    xx += static_cast<long double>(x[c]) * x[c];
    yy += static_cast<long double>(y[c]) * y[c];
  }
  for (int64_t c = 0; c < d; ++c) {
    const long double difference = x[c] / std::sqrt(xx) - y[c] / std::sqrt(yy);
    sum += difference * difference;
  }
  return sum / 2;
}

// Cosine distances of projections that are nearly parallel, as where features
// collapse: the closest pair of all whose distances differ by a thousandth, and
// the lowest of those in one direction.
template <typename T, typename Implementation>
void CheckNearlyParallelRows(const std::vector<Implementation>& implementations,
                             uint64_t seed, int64_t cols, int64_t unit = 1) {
  constexpr int64_t kRows = 64;
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  LossOptions options;
  options.distance = Distance::kCosine;
  for (const double apart : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5}) {
    SCOPED_TRACE(apart);
    auto in = Buffers<T>(4, kRows, cols, unit);
    std::vector<double> common(cols);
    for (double& x : common) x = normal(generator);
    for (auto& b : in) {
      for (int64_t i = 0; i < kRows; ++i) {
        for (int64_t c = 0; c < cols; ++c) {
          b(i, c) = static_cast<T>(common[c] + apart * normal(generator));
        }
      }
    }
    const FourViews<T> views = {in[0].rows(), in[1].rows(), in[2].rows(),
                                in[3].rows(), in[0].rows(), in[1].rows(),
                                in[2].rows(), in[3].rows()};
    std::vector<int64_t> itself(kRows);
    for (int64_t i = 0; i < kRows; ++i) itself[i] = i;
    const SharedViews<T> same = {in[0].rows(), in[1].rows(), in[0].rows(),
                                 in[1].rows(), itself};
    for (const Implementation& implementation : implementations) {
      SCOPED_TRACE(implementation.name());
      options.selection = Selection::kMin;
      const FourViewGrads<T>* none = nullptr;
      const auto result = implementation.Run(views, options, none);
      ASSERT_TRUE(result.ok()) << result.status();
      for (int64_t i = 0; i < kRows; ++i) {
        long double distances[4];
        for (int k = 0; k < 4; ++k) {
          distances[k] = CosineDistanceOf(in[k / 2].rows().row(i),
                                          in[2 + k % 2].rows().row(i), cols);
        }
        const long double least = *std::min_element(distances, distances + 4);
        EXPECT_LE(distances[result->pair[i]], 1.001L * least + 0x1p-45L)
            << "row " << i;
      }
      const SharedGrads<T>* no_grads = nullptr;
      for (const auto& [selection, pair] :
           {std::pair(Selection::kMin, uint8_t{0}),
            std::pair(Selection::kMargin, kAllViews)}) {
        options.selection = selection;
        const auto tied = implementation.Run(same, options, no_grads);
        ASSERT_TRUE(tied.ok()) << tied.status();
        EXPECT_EQ(tied->pair, std::vector<uint8_t>(kRows, pair));
      }
    }
  }
}

}  // namespace gsg

#endif  // GSG_TESTS_GSG_CORE_LOSS_CHECKS_H_
