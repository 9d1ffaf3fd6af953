#include "trainers/evaluate/classification.h"

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "gtest/gtest.h"
#include "tests/trainers/evaluate/random_features.h"

namespace gsg {
namespace {

at::Tensor Labels(const std::vector<int64_t>& labels) {
  return at::tensor(labels);
}

at::Tensor Scores(const std::vector<double>& scores, int64_t classes) {
  return at::tensor(scores, at::kDouble).view({-1, classes});
}

Classification Classify(const at::Tensor& scores, const at::Tensor& labels) {
  ClassificationTally tally(scores.size(1));
  tally.Add(scores, labels);
  return tally.Result();
}

// Places of the own class, from the front: 1, 2, 3, 4, 5, 6, 7 and 8.
TEST(ClassificationTest, FifthPlaceIsInTheTopFiveAndSixthIsNot) {
  const at::Tensor row = Scores({0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}, 8);
  const Classification result =
      Classify(row.expand({8, 8}), Labels({0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(result.top1, 100.0 / 8);
  EXPECT_EQ(result.top5, 500.0 / 8);
}

TEST(ClassificationTest, ConfusionHasTheTrueClassInItsRow) {
  const at::Tensor scores = Scores({9, 0, 0,  //
                                    0, 9, 0,  //
                                    0, 0, 9,  //
                                    0, 0, 9},
                                   3);
  const Classification result = Classify(scores, Labels({0, 0, 0, 2}));
  EXPECT_TRUE(
      result.confusion.equal(Labels({1, 1, 1, 0, 0, 0, 0, 0, 1}).view({3, 3})));
  EXPECT_EQ(result.top1, 50);
}

TEST(ClassificationTest, TiedScoresGoToTheLowestClass) {
  // All equal: class 0 is predicted, and classes 0 to 4 come first.
  const at::Tensor scores = Scores(std::vector<double>(14), 7);
  const Classification result = Classify(scores, Labels({4, 5}));
  EXPECT_EQ(result.confusion[4][0].item<int64_t>(), 1);
  EXPECT_EQ(result.confusion[5][0].item<int64_t>(), 1);
  EXPECT_EQ(result.top1, 0);
  EXPECT_EQ(result.top5, 50);
}

TEST(ClassificationTest, WithFiveClassesTheTopFiveIsEverything) {
  const Classification result =
      Classify(Scores({5, 4, 3, 2, 1}, 5), Labels({4}));
  EXPECT_EQ(result.top1, 0);
  EXPECT_EQ(result.top5, 100);
}

// The definition in loops, over scores with many ties.
TEST(ClassificationTest, BlocksAddUpToTheDefinition) {
  RandomFeatures random(5);
  const int64_t n = 400, classes = 11;
  auto [scores, labels] = random.Classes(n, classes, classes, 0.8);
  scores = scores.mul(2).round();
  std::vector<int64_t> confusion(classes * classes);
  int64_t first = 0, among_five = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto row = scores[i];
    const auto own = labels[i].item<int64_t>();
    int64_t before = 0, best = 0;
    for (int64_t c = 0; c < classes; ++c) {
      const auto score = row[c].item<float>();
      before += score > row[own].item<float>() ||
                (score == row[own].item<float>() && c < own);
      if (score > row[best].item<float>()) best = c;
    }
    ++confusion[own * classes + best];
    first += best == own;
    among_five += before < 5;
  }
  ClassificationTally tally(classes);
  for (const auto& [from, to] : {std::pair(0, 7), {7, 8}, {8, 400}}) {
    tally.Add(scores.slice(0, from, to), labels.slice(0, from, to));
  }
  const Classification result = tally.Result();
  EXPECT_TRUE(
      result.confusion.equal(Labels(confusion).view({classes, classes})));
  EXPECT_EQ(result.top1, 100.0 * first / n);
  EXPECT_EQ(result.top5, 100.0 * among_five / n);
  EXPECT_GT(first, n / 5);  // neither all nor chance
  EXPECT_LT(among_five, n);
}

}  // namespace
}  // namespace gsg
