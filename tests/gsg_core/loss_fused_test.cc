// GuidedLoss against the reference: every distance, selection, batch form,
// element type and instruction set, at sizes around registers and blocks.
#include <cfloat>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/loss.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/loss_checks.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

// GuidedLoss in one of the instruction sets.
class InSimd {
 public:
  explicit InSimd(core_internal::Simd simd) : simd_(simd) {}

  std::string name() const {
    return "simd " + std::to_string(static_cast<int>(simd_));
  }

  template <typename Views, typename Grads>
  absl::StatusOr<LossResult> Run(const Views& views, const LossOptions& options,
                                 const Grads* grads) const {
    const core_internal::ForceSimd force(simd_);
    return GuidedLoss(views, options, grads);
  }

 private:
  core_internal::Simd simd_;
};

std::vector<InSimd> Implementations() {
  std::vector<InSimd> all;
  for (core_internal::Simd simd : SupportedSimd()) all.emplace_back(simd);
  return all;
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
      CheckEveryOption(Implementations(), in, d > 1 ? calls : ties,
                       d > 1 ? same_choices : ties);
      if (testing::Test::HasFailure()) return;
    }
  }
  // Near-ties, whose losses and gradients are not compared, are rare.
  EXPECT_GT(same_choices, 0.99 * calls);
}

TYPED_TEST(FusedTest, ColumnsAroundABlock) {
  std::mt19937_64 generator(TestSeed());
  int calls = 0, same_choices = 0;
  for (int64_t d : {core_internal::kBlock - 1, core_internal::kBlock,
                    core_internal::kBlock + 1, 2 * core_internal::kBlock + 5}) {
    auto in = Buffers<TypeParam>(8, 3, d);
    for (auto& b : in) b.Fill(generator, std::normal_distribution<double>());
    CheckEveryOption(Implementations(), in, calls, same_choices);
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
    CheckBatch(Implementations(), in, pairing, LossOptions(), calls,
               same_choices);
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
      CheckBatch(Implementations(), in, pairing, options, calls, same_choices);
    }
  }
  EXPECT_EQ(same_choices, calls);
}

TYPED_TEST(FusedTest, LocalCrops) {
  CheckLocalCrops<TypeParam>(Implementations(), TestSeed(), 67);
}

TYPED_TEST(FusedTest, ExtremeValues) {
  using T = TypeParam;
  if (std::is_same_v<T, double> && LDBL_MAX_EXP == DBL_MAX_EXP) {
    GTEST_SKIP() << "no type is wider than double here";
  }
  int calls = 0, same_choices = 0;
  for (int64_t d : {1, 40}) {
    CheckExtremeValues<T>(Implementations(), TestSeed(), d, calls,
                          same_choices);
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

TYPED_TEST(FusedTest, NearlyParallelRows) {
  CheckNearlyParallelRows<TypeParam>(Implementations(), TestSeed(), 257);
}

}  // namespace
}  // namespace gsg
