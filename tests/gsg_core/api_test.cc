// What a caller writes, and that it means what it looks like. Compiled as
// C++20, for designated initializers.
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gsg_core/eigen.h"
#include "gsg_core/gsg.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using testing::ElementsAre;

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class ApiTest : public testing::Test {
 protected:
  ApiTest() : z1_(4, 2), z2_(4, 2) {
    z1_ << 1, 2, -3, 1, 0.5, -1, 2, 2;
    z2_ << 0, 1, 2, -2, 1, 1, -1, 3;
  }

  Rows<double> z1() { return AsRows(z1_); }
  Rows<const double> z2() { return AsRows(std::as_const(z2_)); }

  double LossOf(const SharedViews<double>& views) {
    return GuidedLoss(views, LossOptions())->loss;
  }

  Matrix z1_, z2_;
  const std::vector<int64_t> pairing_ = {1, 2, 3, 0};
};

TEST_F(ApiTest, RowsDeduceConstOrNot) {
  const Rows<const double> const_z1 = z1();
  const LossOptions options;
  const auto expected = *Select(const_z1, z2(), z2(), const_z1, options);
  EXPECT_EQ(*Select(z1(), z2(), z2(), z1(), options), expected);
  EXPECT_EQ(*Select(const_z1, z2(), z2(), z1(), options), expected);
  EXPECT_EQ(*Select(z1(), z2(), pairing_, options),
            *Select(const_z1, z2(), pairing_, options));
  const NearestOptions three = {.candidates = 3};
  const auto nearest = *NearestPairing(const_z1, z2(), three);
  EXPECT_EQ(*NearestPairing(z1(), z2(), three), nearest);
  EXPECT_EQ(*NearestPairing(z1(), z2(), z1(), z2(), three), nearest);
}

TEST_F(ApiTest, OptionsAreAnAggregate) {
  static_assert(std::is_aggregate_v<LossOptions>);
  const LossOptions options = {.distance = Distance::kCosine,
                               .selection = Selection::kSoft,
                               .temperature = 0.25};
  const SelectionParameters parameters = options;
  EXPECT_EQ(parameters.temperature, 0.25);
  EXPECT_EQ(parameters.seed, SelectionParameters().seed);
  EXPECT_EQ(parameters.margin, SelectionParameters().margin);
  EXPECT_EQ(options.grad_scale, 1);
}

TEST_F(ApiTest, NoGradientsWrittenOut) {
  const SharedViews<double> shared = {z1(), z2(), z2(), z1(), pairing_};
  EXPECT_EQ(GuidedLoss(shared, {}, nullptr)->loss, LossOf(shared));
  const FourViews<double> four = {z1(), z2(), z2(), z1(),
                                  z1(), z2(), z2(), z1()};
  EXPECT_EQ(GuidedLoss(four, {}, nullptr)->loss,
            GuidedLoss(four, LossOptions())->loss);
}

TEST_F(ApiTest, SharedViewsKeepATemporaryPairing) {
  const double expected =
      LossOf({z1(), z2(), z2(), z1(), absl::MakeConstSpan(pairing_)});
  const SharedViews<double> views = {z1(), z2(), z2(), z1(),
                                     std::vector<int64_t>(pairing_)};
  // What a dangling view would be likely to read.
  const std::vector<std::vector<int64_t>> others(100, {3, 0, 1, 2});
  EXPECT_EQ(LossOf(views), expected);
  SharedViews<double> copy = views;
  EXPECT_NE(copy.pairing.data(), views.pairing.data());
  EXPECT_EQ(LossOf(copy), expected);
  const SharedViews<double> moved = std::move(copy);
  EXPECT_EQ(LossOf(moved), expected);
  EXPECT_EQ(LossOf({z1(), z2(), z2(), z1(), {1, 2, 3, 0}}), expected);
}

TEST_F(ApiTest, SharedViewsReferToWhatHasAName) {
  const SharedViews<double> views = {z1(), z2(), z2(), z1(), pairing_};
  EXPECT_EQ(views.pairing.data(), pairing_.data());
  const SharedViews<double> copy = views;
  EXPECT_EQ(copy.pairing.data(), pairing_.data());
}

TEST_F(ApiTest, LocalViewsToo) {
  const std::vector<Rows<const double>> locals = {z1(), z2()};
  const double expected = LossOf({z1(), z2(), z2(), z1(), pairing_, locals});
  EXPECT_EQ(LossOf({z1(), z2(), z2(), z1(), pairing_, {z1(), z2()}}), expected);
  EXPECT_NE(LossOf({z1(), z2(), z2(), z1(), pairing_}), expected);
}

TEST(SequenceTest, IsAssigned) {
  const std::array<int64_t, 2> named = {1, 2};
  Sequence<int64_t> sequence = {3, 4};
  const Sequence<int64_t> owner = sequence;
  sequence = named;
  EXPECT_EQ(sequence.data(), named.data());
  sequence = owner;
  EXPECT_THAT(absl::MakeConstSpan(sequence), ElementsAre(3, 4));
  EXPECT_NE(sequence.data(), owner.data());
  sequence = *&sequence;
  EXPECT_THAT(absl::MakeConstSpan(sequence), ElementsAre(3, 4));
  const Sequence<int64_t> moved = std::move(sequence);
  EXPECT_THAT(absl::MakeConstSpan(moved), ElementsAre(3, 4));
  EXPECT_TRUE(Sequence<int64_t>().empty());
}

TEST(SequenceTest, TakesNoTemporaryThatItCannotKeep) {
  using Element = Sequence<int64_t>;
  static_assert(std::is_convertible_v<std::vector<int64_t>, Element>);
  static_assert(std::is_convertible_v<std::array<int64_t, 2>&, Element>);
  static_assert(!std::is_convertible_v<std::array<int64_t, 2>, Element>);
  static_assert(!std::is_convertible_v<const std::array<int64_t, 2>, Element>);
  static_assert(std::is_convertible_v<absl::Span<int64_t>, Element>);
  static_assert(
      std::is_convertible_v<const absl::Span<const int64_t>, Element>);
}

TEST(VersionTest, MacrosCompare) {
  static_assert(GSG_VERSION >= GSG_MAKE_VERSION(0, 1, 0));
  static_assert(GSG_MAKE_VERSION(1, 0, 0) > GSG_MAKE_VERSION(0, 999, 999));
  EXPECT_THAT(GSG_VERSION_STRING,
              testing::MatchesRegex("[0-9]+.[0-9]+.[0-9]+"));
}

}  // namespace
}  // namespace gsg
