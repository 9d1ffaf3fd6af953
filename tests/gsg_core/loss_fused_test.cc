// GuidedLoss against the reference: every distance, selection, batch form,
// element type and instruction set, at sizes around registers and blocks.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <type_traits>
#include <vector>

#include "gsg_core/distance.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/loss.h"
#include "gsg_core/norm.h"
#include "gsg_core/pairing.h"
#include "gsg_core/reference.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

template <typename T>
std::vector<Buffer<T>> Buffers(int count, int64_t n, int64_t d) {
  std::vector<Buffer<T>> buffers;
  for (int k = 0; k < count; ++k) buffers.emplace_back(n, d, k % 4);
  return buffers;
}

template <typename T>
double Norm(const T* row, int64_t n) {
  long double sum = 0;
  for (int64_t c = 0; c < n; ++c) {
    const long double value = row[c];
    sum += value * value;
  }
  return static_cast<double>(std::sqrt(sum));
}

// How far the two closest distances of a row are from where kMargin changes its
// mind.
double MarginGap(std::vector<double> distances, double margin) {
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
    const double p_norm = std::max(Norm(p.row(i), d), kNormEpsilon);
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

// Both forms at the values of p11, p12, p21, p22, z11, z12, z21, z22. Counts
// the calls, and those in which all choices were the reference's.
template <typename T>
void CheckBatch(const std::vector<Buffer<T>>& in,
                const std::vector<int64_t>& pairing, const LossOptions& options,
                int& calls, int& same_choices) {
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

  for (internal::Simd simd : SupportedSimd()) {
    SCOPED_TRACE(testing::Message() << "simd " << static_cast<int>(simd));
    const internal::ForceSimd force(simd);
    std::vector<Buffer<T>> grad = Buffers<T>(6, n, d);
    const FourViewGrads<T> grads_four = {grad[0].rows(), grad[1].rows(),
                                         grad[2].rows(), grad[3].rows()};
    const SharedGrads<T> grads_shared = {grad[4].rows(), grad[5].rows()};
    const auto result_four = GuidedLoss(four, options, &grads_four);
    const auto result_shared = GuidedLoss(shared, options, &grads_shared);
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

template <typename T>
void CheckEveryOption(const std::vector<Buffer<T>>& in, int& calls,
                      int& same_choices) {
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
      CheckBatch(in, pairing, options, calls, same_choices);
      if (testing::Test::HasFailure()) return;
    }
  }
}

template <typename T>
class FusedTest : public testing::Test {};
using ElementTypes = testing::Types<float, double, Half, BFloat16>;
TYPED_TEST_SUITE(FusedTest, ElementTypes);

TYPED_TEST(FusedTest, MatchesTheReference) {
  std::mt19937_64 generator(TestSeed());
  int calls = 0, same_choices = 0;
  for (int64_t n : {1, 2, 31, 32, 33, 257}) {
    for (int64_t d : {1, 2, 31, 32, 33, 257}) {
      if (n == 257 && d == 257) continue;  // nothing new, most of the time
      auto in = Buffers<TypeParam>(8, n, d);
      for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
      // In one dimension every cosine is 1 or -1: ties by construction.
      int ties = 0;
      CheckEveryOption(in, d > 1 ? calls : ties, d > 1 ? same_choices : ties);
      if (testing::Test::HasFailure()) return;
    }
  }
  // Near-ties, whose losses and gradients are not compared, are rare.
  EXPECT_GT(same_choices, 0.99 * calls);
}

TYPED_TEST(FusedTest, ColumnsAroundABlock) {
  std::mt19937_64 generator(TestSeed());
  int calls = 0, same_choices = 0;
  for (int64_t d : {internal::kBlock - 1, internal::kBlock,
                    internal::kBlock + 1, 2 * internal::kBlock + 5}) {
    auto in = Buffers<TypeParam>(8, 3, d);
    for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
    CheckEveryOption(in, calls, same_choices);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(same_choices, calls);
}

// Images that are their own second image: distances of exactly 0.
TYPED_TEST(FusedTest, FixedPointsOfThePairing) {
  std::mt19937_64 generator(TestSeed());
  int calls = 0, same_choices = 0;
  auto in = Buffers<TypeParam>(8, 6, 40);
  for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
  for (const std::vector<int64_t>& pairing :
       {std::vector<int64_t>{0, 1, 2, 3, 4, 5}, {0, 2, 1, 3, 5, 4}}) {
    CheckBatch(in, pairing, LossOptions(), calls, same_choices);
  }
  EXPECT_EQ(same_choices, calls);
}

// Pairings that are no permutations: an image may be second often or never.
TYPED_TEST(FusedTest, MapsOfThePairing) {
  std::mt19937_64 generator(TestSeed());
  int calls = 0, same_choices = 0;
  auto in = Buffers<TypeParam>(8, 40, 33);
  for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
  std::vector<int64_t> some(40);
  std::uniform_int_distribution<int64_t> image(0, 39);
  for (int64_t& second : some) second = image(generator);
  for (Selection selection :
       {Selection::kMin, Selection::kNone, Selection::kSoft}) {
    LossOptions options;
    options.selection = selection;
    for (const std::vector<int64_t>& pairing :
         {some, std::vector<int64_t>(40, 17)}) {
      CheckBatch(in, pairing, options, calls, same_choices);
    }
  }
  EXPECT_EQ(same_choices, calls);
}

// Local crops, of ordinary and of extreme values, in a permutation and a map.
TYPED_TEST(FusedTest, LocalCrops) {
  using T = TypeParam;
  using Wide = reference::Wide<T>;
  constexpr int64_t kRows = 37, kCols = 67;
  std::mt19937_64 generator(TestSeed());
  auto in = Buffers<T>(7, kRows, kCols);
  for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
  // Where sums leave the middle of the range: the slow path.
  for (int64_t c = 0; c < kCols; ++c) {
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
      auto wide = Buffers<Wide>(5, kRows, kCols);
      const std::vector<Rows<Wide>> wide_locals = {
          wide[2].rows(), wide[3].rows(), wide[4].rows()};
      const SharedGrads<Wide> wide_grads = {wide[0].rows(), wide[1].rows(),
                                            wide_locals};
      const auto expected =
          reference::GuidedLoss<T>(views, options, &wide_grads);
      for (internal::Simd simd : SupportedSimd()) {
        const internal::ForceSimd force(simd);
        auto grad = Buffers<T>(5, kRows, kCols);
        const std::vector<Rows<T>> local_grads = {
            grad[2].rows(), grad[3].rows(), grad[4].rows()};
        const SharedGrads<T> grads = {grad[0].rows(), grad[1].rows(),
                                      local_grads};
        const auto result = GuidedLoss(views, options, &grads);
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_EQ(result->pair, expected.pair);
        const double weight_error = WeightError(expected, options, kCols);
        EXPECT_NEAR(result->loss, static_cast<double>(expected.loss),
                    CosineError<T>(kCols) + weight_error);
        EXPECT_EQ(GuidedLoss(views, options)->loss, result->loss);
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
TYPED_TEST(FusedTest, ExtremeValues) {
  using T = TypeParam;
  if (std::is_same_v<T, double> && LDBL_MAX_EXP == DBL_MAX_EXP) {
    GTEST_SKIP() << "no type is wider than double here";
  }
  const double largest = Limits<T>::kMax;
  const double denormal = Limits<T>::kDenormMin * 1000;
  const double scales[] = {largest,
                           denormal,
                           1,
                           0,
                           1e-8,
                           std::sqrt(largest),
                           1 / std::sqrt(largest)};
  std::mt19937_64 generator(TestSeed());
  std::uniform_int_distribution<int> pick(0, std::size(scales) - 1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  int calls = 0, same_choices = 0;
  for (int64_t d : {1, 40}) {
    auto in = Buffers<T>(8, 60, d);
    for (auto& b : in) {
      for (int64_t i = 0; i < 60; ++i) {
        const double scale = scales[pick(generator)];
        for (int64_t c = 0; c < d; ++c) {
          b(i, c) = static_cast<T>(scale * uniform(generator));
        }
      }
    }
    CheckEveryOption(in, calls, same_choices);
  }
  EXPECT_GT(same_choices, 0);
}

// 1e38 and 1 in one row, by hand: cos((1e38, 1), (1, 1e38)) is 0 in any
// precision, and cos((1e38, 1e38), (1, 1)) is 1.
TEST(FusedFloatTest, LargeValuesByHand) {
  const Buffer<float> x = {1e38f, 1}, y = {1, 1e38f}, u = {1e38f, 1e38f},
                      one = {1, 1};
  LossOptions options;
  options.selection = Selection::kNone;
  const FourViews<float> views = {x.rows(), y.rows(), u.rows(),   one.rows(),
                                  x.rows(), y.rows(), one.rows(), u.rows()};
  const auto result = GuidedLoss(views, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(result->loss, -(0 + 0 + 1 + 1) / 4., 1e-12);
}

}  // namespace
}  // namespace gsg
