#include "gsg_core/selection.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gsg_core/parse.h"
#include "gsg_core/reference_row.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

int PairOf(Selection selection, const double (&distances)[4], uint64_t seed = 0,
           int64_t row = 0) {
  SelectionParameters parameters;
  parameters.seed = seed;
  return reference::Choose(selection, distances, parameters, row).pair;
}

Choice SoftChoice(const double (&distances)[4], double temperature) {
  SelectionParameters parameters;
  parameters.temperature = temperature;
  return reference::Choose(Selection::kSoft, distances, parameters, 0);
}

int MarginPair(const double (&distances)[4], double margin) {
  SelectionParameters parameters;
  parameters.margin = margin;
  return reference::Choose(Selection::kMargin, distances, parameters, 0).pair;
}

void ExpectWeights(const Choice& choice, const double (&expected)[4]) {
  for (int v = 0; v < 4; ++v) {
    EXPECT_NEAR(choice.weights[v], expected[v], 1e-15) << v;
  }
}

TEST(SelectionTest, MinAndMax) {
  EXPECT_EQ(PairOf(Selection::kMin, {3, 1, 2, 5}), 1);
  EXPECT_EQ(PairOf(Selection::kMax, {3, 1, 2, 5}), 3);
}

TEST(SelectionTest, TiesGoToTheLowestPair) {
  EXPECT_EQ(PairOf(Selection::kMin, {3, 1, 1, 1}), 1);
  EXPECT_EQ(PairOf(Selection::kMax, {3, 5, 1, 5}), 1);
  EXPECT_EQ(PairOf(Selection::kMin, {2, 2, 2, 2}), 0);
}

TEST(SelectionTest, WeightsOfEachPair) {
  const double expected[4][4] = {
      {1, 0, 1, 0}, {1, 0, 0, 1}, {0, 1, 1, 0}, {0, 1, 0, 1}};
  for (int pair = 0; pair < 4; ++pair) {
    double distances[4] = {9, 9, 9, 9};
    distances[pair] = 1;
    const Choice choice = reference::Choose(Selection::kMin, distances, {}, 0);
    EXPECT_EQ(choice.pair, pair);
    for (int v = 0; v < 4; ++v) {
      EXPECT_EQ(choice.weights[v], expected[pair][v]) << pair << " " << v;
    }
  }
}

TEST(SelectionTest, NoneGivesEveryViewHalf) {
  const double distances[4] = {3, 1, 2, 5};
  const Choice choice = reference::Choose(Selection::kNone, distances, {}, 0);
  EXPECT_EQ(choice.pair, kAllViews);
  for (double weight : choice.weights) EXPECT_EQ(weight, 0.5);
}

// The two top bits of Philox4x32-10, from an independent implementation that
// passes the known-answer tests of Random123.
TEST(SelectionTest, RandomGolden) {
  const int expected[12] = {3, 3, 0, 1, 3, 1, 1, 1, 3, 0, 3, 3};
  for (int row = 0; row < 12; ++row) {
    EXPECT_EQ(PairOf(Selection::kRandom, {1, 2, 3, 4}, 7, row), expected[row]);
  }
}

TEST(SelectionTest, RandomIsUniform) {
  std::array<int, 4> count = {};
  constexpr int kRows = 4000;
  for (int row = 0; row < kRows; ++row) {
    ++count[PairOf(Selection::kRandom, {1, 2, 3, 4}, 3, row)];
  }
  double chi2 = 0;
  const double expected = kRows / 4.;
  for (int c : count) chi2 += (c - expected) * (c - expected) / expected;
  EXPECT_LT(chi2, 16.27);  // 3 degrees of freedom, p = 0.001
}

// exp(-d / 2) of these distances is 1/2, 1, 1/4, 1/4 times exp(-1/2): the
// probabilities are 1/4, 1/2, 1/8, 1/8.
TEST(SelectionTest, SoftByHand) {
  const double ln4 = 2 * std::log(2);
  const Choice choice = SoftChoice({1 + ln4, 1, 1 + 2 * ln4, 1 + 2 * ln4}, 2);
  EXPECT_EQ(choice.pair, 1);
  ExpectWeights(choice, {3 / 4., 1 / 4., 3 / 8., 5 / 8.});
}

TEST(SelectionTest, SoftIsBetweenMinAndNone) {
  const double distances[4] = {3, 1, 2, 5};
  // The next pair has a probability of exp(-1 / 0.01).
  ExpectWeights(SoftChoice(distances, 0.01), {1, 0, 0, 1});
  ExpectWeights(SoftChoice(distances, 1e17), {0.5, 0.5, 0.5, 0.5});
  ExpectWeights(SoftChoice({2, 2, 7, 7}, 0.01), {1, 0, 0.5, 0.5});
  for (double temperature : {0.1, 0.7, 1., 30.}) {
    const Choice choice = SoftChoice(distances, temperature);
    EXPECT_EQ(choice.pair, 1);
    EXPECT_NEAR(choice.weights[0] + choice.weights[1], 1, 1e-15);
    EXPECT_NEAR(choice.weights[2] + choice.weights[3], 1, 1e-15);
  }
}

TEST(SelectionTest, SoftOfDistancesBeyondTheRangeOfExp) {
  const double infinity = std::numeric_limits<double>::infinity();
  ExpectWeights(SoftChoice({1e300, 2e300, 0, 1}, 1e-300), {0, 1, 1, 0});
  ExpectWeights(SoftChoice({infinity, 1, infinity, 2}, 0.01), {1, 0, 0, 1});
  ExpectWeights(SoftChoice({infinity, infinity, infinity, infinity}, 1),
                {0.5, 0.5, 0.5, 0.5});
}

TEST(SelectionTest, MarginGuidesClearChoicesOnly) {
  // The closest pair is a quarter closer than the next.
  EXPECT_EQ(MarginPair({4, 3, 5, 6}, 0.24), 1);
  EXPECT_EQ(MarginPair({4, 3, 5, 6}, 0.25), kAllViews);
  EXPECT_EQ(MarginPair({4e9, 3e9, 5e9, 6e9}, 0.24), 1);
  EXPECT_EQ(MarginPair({4, 3, 5, 6}, 0), 1);
  EXPECT_EQ(MarginPair({1, 4, 5, 6}, 0.7), 0);
  EXPECT_EQ(MarginPair({6, 5, 4, 1}, 0.8), kAllViews);
  EXPECT_EQ(MarginPair({0, 4, 5, 6}, 0.999), 0);
  // An image that is its own second one has two distances of 0.
  EXPECT_EQ(MarginPair({0, 4, 4, 0}, 0), kAllViews);
  EXPECT_EQ(MarginPair({0, 0, 0, 0}, 0), kAllViews);
}

TEST(SelectionTest, MarginHasTheWeightsOfMinAndNone) {
  SelectionParameters parameters;
  parameters.margin = 0.2;
  ExpectWeights(
      reference::Choose(Selection::kMargin, {4., 3., 5., 6.}, parameters, 0),
      {1, 0, 0, 1});
  ExpectWeights(
      reference::Choose(Selection::kMargin, {4., 3.9, 5., 6.}, parameters, 0),
      {0.5, 0.5, 0.5, 0.5});
}

TEST(SelectionTest, NamesParse) {
  for (Selection selection :
       {Selection::kMin, Selection::kMax, Selection::kRandom, Selection::kNone,
        Selection::kSoft, Selection::kMargin}) {
    const auto parsed = ParseSelection(SelectionName(selection));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, selection);
  }
  EXPECT_EQ(SelectionName(Selection::kMin), "min");
  EXPECT_EQ(SelectionName(Selection::kNone), "none");
  EXPECT_EQ(SelectionName(Selection::kSoft), "soft");
  EXPECT_EQ(SelectionName(Selection::kMargin), "margin");
  EXPECT_EQ(SelectionName(static_cast<Selection>(99)), "unknown");
}

TEST(SelectionTest, ParseErrorListsNames) {
  EXPECT_EQ(
      ParseSelection("").status(),
      absl::InvalidArgumentError("selection is \"\"; use one of min, max, "
                                 "random, none, soft, margin"));
}

TEST(SourceMaskTest, MarksTheSources) {
  const std::vector<uint8_t> pair = {2, kAllViews};
  std::vector<uint8_t> mask(8, 7);
  ASSERT_TRUE(SourceMask(pair, absl::MakeSpan(mask)).ok());
  EXPECT_EQ(mask, std::vector<uint8_t>({0, 1, 1, 0, 1, 1, 1, 1}));
}

TEST(SourceMaskTest, Errors) {
  std::vector<uint8_t> mask(7);
  EXPECT_EQ(SourceMask({0, 0}, absl::MakeSpan(mask)),
            absl::InvalidArgumentError("mask has 7 elements; pair has 2, and "
                                       "mask needs four for each"));
  mask.resize(8);
  EXPECT_EQ(
      SourceMask({0, 5}, absl::MakeSpan(mask)),
      absl::InvalidArgumentError("pair[1] is 5; the largest is 4 (all views)"));
}

}  // namespace
}  // namespace gsg
