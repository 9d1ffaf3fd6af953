#include "trainers/study/statistics.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(SummarizeTest, OfThreeByHand) {
  // Mean 4; squares 4 + 0 + 4 = 8, over 2.
  const Summary summary = Summarize({2, 4, 6});
  EXPECT_EQ(summary.n, 3);
  EXPECT_EQ(summary.mean, 4);
  EXPECT_EQ(summary.std, 2);
}

TEST(SummarizeTest, OneHasNoSpreadAndNoneNoMean) {
  const Summary one = Summarize({7});
  EXPECT_EQ(one.n, 1);
  EXPECT_EQ(one.mean, 7);
  EXPECT_TRUE(std::isnan(one.std));
  const Summary none = Summarize({});
  EXPECT_EQ(none.n, 0);
  EXPECT_TRUE(std::isnan(none.mean));
}

TEST(SummarizeTest, PassesOverWhatIsNotMeasured) {
  const Summary summary = Summarize({NAN, 1, INFINITY, 3});
  EXPECT_EQ(summary.n, 2);
  EXPECT_EQ(summary.mean, 2);
  EXPECT_DOUBLE_EQ(summary.std, std::sqrt(2));
}

// The seeds differ by tens, the arms by 1, 2 and 3: mean 2, standard deviation
// 1, so 2 -+ 4.3027 / sqrt(3).
TEST(PairedDifferenceTest, SeedsCancel) {
  const Difference d = PairedDifference({11, 22, 33}, {10, 20, 30});
  EXPECT_EQ(d.n, 3);
  EXPECT_EQ(d.mean, 2);
  EXPECT_NEAR(d.low, 2 - 4.302652730 / std::sqrt(3), 1e-9);
  EXPECT_NEAR(d.high, 2 + 4.302652730 / std::sqrt(3), 1e-9);
}

TEST(PairedDifferenceTest, OnePairHasNoInterval) {
  const Difference d = PairedDifference({5, NAN, 7}, {3, 4, NAN});
  EXPECT_EQ(d.n, 1);
  EXPECT_EQ(d.mean, 2);
  EXPECT_TRUE(std::isnan(d.low));
  EXPECT_TRUE(std::isnan(d.high));
  EXPECT_TRUE(std::isnan(PairedDifference({NAN}, {3}).mean));
}

// The percentage points that any table of the distribution has.
TEST(StudentQuantileTest, IsThatOfPublishedTables) {
  struct Row {
    int64_t degrees;
    double at_90, at_95, at_99;
  };
  for (const Row& row : std::vector<Row>{{1, 6.314, 12.706, 63.657},
                                         {2, 2.920, 4.303, 9.925},
                                         {3, 2.353, 3.182, 5.841},
                                         {4, 2.132, 2.776, 4.604},
                                         {5, 2.015, 2.571, 4.032},
                                         {6, 1.943, 2.447, 3.707},
                                         {7, 1.895, 2.365, 3.499},
                                         {10, 1.812, 2.228, 3.169},
                                         {15, 1.753, 2.131, 2.947},
                                         {30, 1.697, 2.042, 2.750},
                                         {60, 1.671, 2.000, 2.660},
                                         {120, 1.658, 1.980, 2.617}}) {
    EXPECT_NEAR(StudentQuantile(0.90, row.degrees), row.at_90, 5.1e-4);
    EXPECT_NEAR(StudentQuantile(0.95, row.degrees), row.at_95, 5.1e-4);
    EXPECT_NEAR(StudentQuantile(0.99, row.degrees), row.at_99, 5.1e-4);
  }
}

// One degree is Cauchy's distribution; two have t / sqrt(2 + t^2) for P; many
// are the normal distribution, 1.959964.
TEST(StudentQuantileTest, IsExactWhereThereIsAFormula) {
  const double half_pi = std::acos(0.0);
  for (const double p : {0.01, 0.5, 0.95, 0.999}) {
    EXPECT_NEAR(StudentQuantile(p, 1) / std::tan(half_pi * p), 1, 1e-12);
    EXPECT_NEAR(StudentQuantile(p, 2) / (p * std::sqrt(2 / (1 - p * p))), 1,
                1e-12);
  }
  EXPECT_NEAR(StudentQuantile(0.95, 1000000), 1.959964, 1e-5);
}

}  // namespace
}  // namespace gsg
