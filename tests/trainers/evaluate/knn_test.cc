#include "trainers/evaluate/knn.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/trainers/evaluate/random_features.h"

namespace gsg {
namespace {

at::Tensor Labels(const std::vector<int64_t>& labels) {
  return at::tensor(labels);
}

at::Tensor Rows(const std::vector<float>& values, int64_t width) {
  return at::tensor(values).view({-1, width});
}

// The definition, in double: sort all bank rows by cosine, let k vote.
double NaiveTop1(const at::Tensor& bank, const at::Tensor& bank_labels,
                 const at::Tensor& queries, const at::Tensor& query_labels,
                 int64_t classes, const KnnOptions& options) {
  const auto b = bank.accessor<float, 2>();
  const auto q = queries.accessor<float, 2>();
  int64_t correct = 0;
  for (int64_t m = 0; m < q.size(0); ++m) {
    std::vector<double> cosine(b.size(0));
    for (int64_t n = 0; n < b.size(0); ++n) {
      double dot = 0, bb = 0, qq = 0;
      for (int64_t j = 0; j < b.size(1); ++j) {
        dot += double{b[n][j]} * q[m][j];
        bb += double{b[n][j]} * b[n][j];
        qq += double{q[m][j]} * q[m][j];
      }
      cosine[n] = dot / std::sqrt(bb * qq);
    }
    std::vector<int64_t> order(cosine.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int64_t i, int64_t j) { return cosine[i] > cosine[j]; });
    order.resize(std::min<int64_t>(options.k, b.size(0)));
    std::vector<double> votes(classes);
    for (const int64_t n : order) {
      votes[bank_labels[n].item<int64_t>()] +=
          std::exp(cosine[n] / options.temperature);
    }
    const auto best = std::max_element(votes.begin(), votes.end());
    correct += best - votes.begin() == query_labels[m].item<int64_t>();
  }
  return 100.0 * static_cast<double>(correct) / static_cast<double>(q.size(0));
}

TEST(KnnTop1Test, AgreesWithDefinition) {
  RandomFeatures random(31);
  for (const int64_t k : {1, 7, 64}) {
    for (const double temperature : {0.05, 0.2, 5.0}) {
      const auto [bank, bank_labels] = random.Classes(257, 5, 4, 1.0);
      const auto [queries, query_labels] = random.Classes(100, 5, 4, 1.0);
      const KnnOptions options = {k, temperature};
      const double expected =
          NaiveTop1(bank, bank_labels, queries, query_labels, 4, options);
      // Hard enough that a wrong rule would show.
      EXPECT_GT(expected, 30);
      EXPECT_LT(expected, 95);
      // Rounding may turn one near tie.
      EXPECT_NEAR(
          *KnnTop1(bank, bank_labels, queries, query_labels, 4, options),
          expected, 1.01)
          << "k " << k << ", temperature " << temperature;
    }
  }
}

// One row of class 0 at cosine 1 against two of class 1 at cosine 0.6: at
// t = 1 the two win, 2 e^0.6 = 3.64 > e = 2.72; at t = 0.2 the one wins,
// e^5 = 148.4 > 2 e^3 = 40.2. The nearest row has the shortest vector, so a
// dot product without normalization would let the two win at both.
TEST(KnnTop1Test, TemperatureWeighsSimilarityAgainstCount) {
  const at::Tensor bank = Rows({0.1f, 0, 6, 8, 6, -8}, 2);
  const at::Tensor bank_labels = Labels({0, 1, 1});
  const at::Tensor query = Rows({5, 0}, 2);
  EXPECT_EQ(*KnnTop1(bank, bank_labels, query, Labels({0}), 2, {3, 0.2}), 100);
  EXPECT_EQ(*KnnTop1(bank, bank_labels, query, Labels({1}), 2, {3, 1.0}), 100);
  EXPECT_EQ(*KnnTop1(bank, bank_labels, query, Labels({0}), 2, {3, 1.0}), 0);
  // Only k rows vote: the nearest alone decides at any temperature.
  EXPECT_EQ(*KnnTop1(bank, bank_labels, query, Labels({0}), 2, {1, 1.0}), 100);
}

// Classes 0 to 6 have a neighbor each, at falling cosines, and 7 none.
TEST(KnnClassifyTest, RanksClassesByTheirVotes) {
  const at::Tensor bank = Rows({8, 1, 7, 2, 6, 3, 5, 4, 4, 5, 3, 6, 2, 7}, 2);
  const at::Tensor queries = Rows({1, 0, 1, 0, 1, 0, 1, 0}, 2);
  const Classification result = *KnnClassify(
      bank, Labels({0, 1, 2, 3, 4, 5, 6}), queries, Labels({0, 4, 5, 7}), 8);
  EXPECT_EQ(result.top1, 25);
  EXPECT_EQ(result.top5, 50);
  // All four are taken for class 0.
  EXPECT_TRUE(
      result.confusion.select(1, 0).equal(Labels({1, 0, 0, 0, 1, 1, 0, 1})));
  EXPECT_EQ(result.confusion.sum().item<int64_t>(), 4);
}

TEST(KnnTop1Test, BankSmallerThanKVotesAsAWhole) {
  const at::Tensor bank = Rows({1, 0, 6, 8, 6, -8}, 2);
  const at::Tensor query = Rows({1, 0}, 2);
  EXPECT_EQ(
      *KnnTop1(bank, Labels({0, 1, 1}), query, Labels({1}), 2, {200, 1.0}),
      100);
}

TEST(KnnTop1Test, IsAPercentage) {
  const at::Tensor bank = Rows({1, 0, 0, 1}, 2);
  const at::Tensor queries = Rows({1, 0, 1, 0, 1, 0, 0, 1}, 2);
  EXPECT_EQ(*KnnTop1(bank, Labels({0, 1}), queries, Labels({0, 0, 1, 1}), 2,
                     {1, 0.2}),
            75);
}

TEST(KnnTop1Test, TiedScoreGoesToTheLowestClass) {
  const at::Tensor bank = Rows({1, 0, 1, 0}, 2);
  EXPECT_EQ(*KnnTop1(bank, Labels({2, 1}), bank, Labels({1, 1}), 3), 100);
}

TEST(KnnTop1Test, ExtremeTemperaturesAndLengthsStayFinite) {
  const at::Tensor bank = Rows({1e30f, 0, 0, 1e-30f}, 2);
  const at::Tensor queries = Rows({1e-30f, 0, 0, 1e30f}, 2);
  for (const double temperature : {1e-300, 1e300}) {
    EXPECT_EQ(*KnnTop1(bank, Labels({0, 1}), queries, Labels({0, 1}), 2,
                       {1, temperature}),
              100);
  }
}

// 9,000 x 4,000 similarities are more than one block.
TEST(KnnTop1Test, BlocksCoverEveryQuery) {
  RandomFeatures random(5);
  const auto [bank, bank_labels] = random.Classes(9000, 3, 2, 1.0);
  const at::Tensor queries = bank.slice(0, 0, 4000);
  EXPECT_EQ(*KnnTop1(bank, bank_labels, queries, bank_labels.slice(0, 0, 4000),
                     2, {1, 0.2}),
            100);
  const at::Tensor nearest = *NearestNeighbors(bank, queries, 1);
  EXPECT_EQ(nearest.size(0), 4000);
  for (const int64_t i : {0, 1863, 1864, 3999}) {
    EXPECT_EQ(nearest[i][0].item<int64_t>(), i);
  }
}

TEST(NearestNeighborsTest, OrdersByCosineNearestFirst) {
  // Cosines to (1, 0): 0, 1, -1, 0.6.
  const at::Tensor bank = Rows({0, 9, 2, 0, -1, 0, 3, 4}, 2);
  const at::Tensor nearest = *NearestNeighbors(bank, Rows({1, 0}, 2), 9);
  ASSERT_EQ(nearest.sizes(), (std::vector<int64_t>{1, 4}));
  EXPECT_TRUE(nearest.equal(Labels({1, 3, 0, 2}).view({1, 4})));
  EXPECT_TRUE(NearestNeighbors(bank, Rows({1, 0}, 2), 2)
                  ->equal(Labels({1, 3}).view({1, 2})));
}

TEST(NearestNeighborsTest, ZeroRowIsOrthogonalToAll) {
  const at::Tensor bank = Rows({-1, 0, 0, 0, 1, 0}, 2);
  EXPECT_TRUE(NearestNeighbors(bank, Rows({1, 0}, 2), 3)
                  ->equal(Labels({2, 1, 0}).view({1, 3})));
}

struct ErrorCase {
  at::Tensor bank, bank_labels, queries, query_labels;
  int64_t classes;
  KnnOptions options;
  std::string message;
};

TEST(KnnTop1Test, NamesWhatIsWrong) {
  const at::Tensor x = Rows({1, 0, 0, 1}, 2);
  const at::Tensor y = Labels({0, 1});
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<ErrorCase> cases = {
      {x, y, x, y, 2, {0, 0.2}, "k is 0; at least 1 neighbor is needed"},
      {x, y, x, y, 2, {1, 0}, "temperature is 0; it must be positive"},
      {at::Tensor(),
       y,
       x,
       y,
       2,
       {},
       "bank features are an undefined tensor; need [N, d] Float with N and d "
       "at least 1"},
      {at::zeros({0, 2}),
       y,
       x,
       y,
       2,
       {},
       "bank features are [0, 2] Float; need [N, d] Float with N and d at "
       "least 1"},
      {x,
       y,
       x.to(at::kDouble),
       y,
       2,
       {},
       "query features are [2, 2] Double; need [N, d] Float with N and d at "
       "least 1"},
      {x,
       y,
       Rows({1, inf}, 2),
       Labels({0}),
       2,
       {},
       "query features hold a NaN or an infinity; the network has diverged or "
       "its input is not normalized"},
      {x,
       y,
       Rows({1, 0, 0}, 3),
       Labels({0}),
       2,
       {},
       "query features have width 3; bank features have width 2"},
      {x,
       Labels({0}),
       x,
       y,
       2,
       {},
       "bank labels are [1] Long; 2 feature rows need [2] Long"},
      {x,
       y,
       x,
       y.to(at::kInt),
       2,
       {},
       "query labels are [2] Int; 2 feature rows need [2] Long"},
      {x, y, x, y, 1, {}, "bank labels span 0..1; 1 classes allow 0..0"},
      {x,
       y,
       x,
       Labels({-1, 1}),
       2,
       {},
       "query labels span -1..1; 2 classes allow 0..1"},
  };
  for (const ErrorCase& c : cases) {
    const absl::Status status = KnnTop1(c.bank, c.bank_labels, c.queries,
                                        c.query_labels, c.classes, c.options)
                                    .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), c.message);
  }
  EXPECT_EQ(NearestNeighbors(x, x, 0).status().message(),
            "k is 0; at least 1 neighbor is needed");
  EXPECT_EQ(NearestNeighbors(x, Rows({1, 0, 0}, 3), 1).status().message(),
            "query features have width 3; bank features have width 2");
}

}  // namespace
}  // namespace gsg
