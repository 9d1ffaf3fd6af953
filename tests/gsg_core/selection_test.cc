#include "gsg_core/selection.h"

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gsg_core/reference_row.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

int PairOf(Selection selection, const double (&distances)[4], uint64_t seed = 0,
           int64_t row = 0) {
  return reference::Choose(selection, distances, seed, row).pair;
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
    const Choice choice = reference::Choose(Selection::kMin, distances, 0, 0);
    EXPECT_EQ(choice.pair, pair);
    for (int v = 0; v < 4; ++v) {
      EXPECT_EQ(choice.weights[v], expected[pair][v]) << pair << " " << v;
    }
  }
}

TEST(SelectionTest, NoneGivesEveryViewHalf) {
  const double distances[4] = {3, 1, 2, 5};
  const Choice choice = reference::Choose(Selection::kNone, distances, 0, 0);
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

TEST(SelectionTest, NamesParse) {
  for (Selection selection : {Selection::kMin, Selection::kMax,
                              Selection::kRandom, Selection::kNone}) {
    const auto parsed = ParseSelection(SelectionName(selection));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, selection);
  }
  EXPECT_EQ(SelectionName(Selection::kMin), "min");
  EXPECT_EQ(SelectionName(Selection::kNone), "none");
  EXPECT_EQ(SelectionName(static_cast<Selection>(99)), "unknown");
}

TEST(SelectionTest, ParseErrorListsNames) {
  EXPECT_EQ(ParseSelection("").status(),
            absl::InvalidArgumentError(
                "selection is \"\"; use one of min, max, random, none"));
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
