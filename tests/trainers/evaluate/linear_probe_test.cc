#include "trainers/evaluate/linear_probe.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
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

// x = +1 is class 0 and x = -1 class 1: already standardised, and by symmetry
// W = (a, -a), b = 0, with
//   J = log(1 + e^-2a) + l2 a^2,  dJ/da = 0 where l2 a (1 + e^2a) = 1.
// l2 = 1 / (1 + e^2) makes a = 1 the optimum.
TEST(LinearProbeTest, TwoPointsHaveTheOptimumWorkedOutByHand) {
  const at::Tensor x = Rows({1, -1}, 1);
  const at::Tensor y = Labels({0, 1});
  LinearProbeOptions options;
  options.l2 = 1 / (1 + std::exp(2.0));
  options.tolerance = 1e-12;
  const LinearProbeResult probe = *LinearProbe(x, y, x, y, 2, options);
  EXPECT_TRUE(probe.converged);
  EXPECT_NEAR(probe.weight[0][0].item<double>(), 1, 1e-10);
  EXPECT_NEAR(probe.weight[0][1].item<double>(), -1, 1e-10);
  EXPECT_NEAR(probe.bias[0].item<double>(), 0, 1e-10);
  EXPECT_NEAR(probe.loss, std::log1p(std::exp(-2.0)) + options.l2, 1e-12);
  EXPECT_EQ(probe.test.top1, 100);
  EXPECT_EQ(probe.train_top1, 100);
}

// A constant feature says nothing: the bias becomes the logarithm of the class
// frequencies 3/4 and 1/4, the loss their entropy, and class 0 is always
// predicted. 0.1 is not exact in binary: its deviation is not exactly 0.
TEST(LinearProbeTest, ConstantFeatureLeavesTheClassFrequencies) {
  const at::Tensor x = Rows({0.1f, 0.1f, 0.1f, 0.1f}, 1);
  const at::Tensor test = Rows({7, -7}, 1);
  LinearProbeOptions options;
  options.tolerance = 1e-11;
  const LinearProbeResult probe =
      *LinearProbe(x, Labels({0, 0, 0, 1}), test, Labels({0, 1}), 2, options);
  EXPECT_NEAR(probe.bias[0].item<double>() - probe.bias[1].item<double>(),
              std::log(3.0), 1e-9);
  EXPECT_EQ(probe.weight.abs().max().item<double>(), 0);
  EXPECT_NEAR(probe.loss, -0.75 * std::log(0.75) - 0.25 * std::log(0.25),
              1e-12);
  EXPECT_EQ(probe.test.top1, 50);
  EXPECT_EQ(probe.train_top1, 75);
}

// J by its definition in three loops, for standardised x.
double NaiveLoss(const std::vector<std::vector<double>>& x,
                 const at::Tensor& labels, const at::Tensor& weight,
                 const at::Tensor& bias, double l2) {
  const auto w = weight.accessor<double, 2>();
  const auto b = bias.accessor<double, 1>();
  double loss = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double sum = 0, own = 0;
    for (int64_t c = 0; c < b.size(0); ++c) {
      double logit = b[c];
      for (size_t j = 0; j < x[i].size(); ++j) logit += x[i][j] * w[j][c];
      sum += std::exp(logit);
      if (c == labels[i].item<int64_t>()) own = logit;
    }
    loss += (std::log(sum) - own) / static_cast<double>(x.size());
  }
  return loss + 0.5 * l2 * weight.square().sum().item<double>();
}

// The optimum of a strictly convex function is where its gradient vanishes:
// the gradient is taken numerically from the definition above, at the
// returned parameters.
TEST(LinearProbeTest, GradientOfTheDefinitionVanishesAtTheResult) {
  RandomFeatures random(11);
  const int64_t d = 4, classes = 3;
  auto [features, labels] = random.Classes(60, d, classes, 0.7);
  // Scales far apart: only standardised features make the l2 term fair.
  features.select(1, 0).mul_(1000).add_(5000);
  LinearProbeOptions options;
  options.l2 = 0.01;
  options.tolerance = 1e-9;
  LinearProbeResult probe =
      *LinearProbe(features, labels, features, labels, classes, options);
  EXPECT_TRUE(probe.converged);
  EXPECT_LE(probe.gradient, 1e-9);

  std::vector<std::vector<double>> x(60, std::vector<double>(d));
  for (int64_t j = 0; j < d; ++j) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < 60; ++i) {
      mean += features[i][j].item<double>() / 60;
    }
    for (int64_t i = 0; i < 60; ++i) {
      const double offset = features[i][j].item<double>() - mean;
      variance += offset * offset / 60;
      x[i][j] = offset;
    }
    for (int64_t i = 0; i < 60; ++i) x[i][j] /= std::sqrt(variance);
  }
  auto loss = [&] {
    return NaiveLoss(x, labels, probe.weight, probe.bias, options.l2);
  };
  EXPECT_NEAR(loss(), probe.loss, 1e-12);
  const double step = 1e-5;  // central differences: error about 1e-10
  for (at::Tensor* parameters : {&probe.weight, &probe.bias}) {
    const at::Tensor flat = parameters->view(-1);
    for (int64_t k = 0; k < flat.numel(); ++k) {
      flat[k].add_(step);
      const double above = loss();
      flat[k].sub_(2 * step);
      const double below = loss();
      flat[k].add_(step);
      EXPECT_NEAR((above - below) / (2 * step), 0, 1e-8) << "entry " << k;
    }
  }
}

// Rows are summed a block at a time, and a part of them by each thread. The
// mean over ten copies of the rows is the mean over the rows.
TEST(LinearProbeTest, ManyRowsAreTheSameFunction) {
  RandomFeatures random(5);
  const int64_t classes = 3;
  const auto [x, y] = random.Classes(700, 200, classes, 0.5);
  LinearProbeOptions options;
  options.l2 = 0.01;
  options.tolerance = 1e-9;
  const LinearProbeResult once = *LinearProbe(x, y, x, y, classes, options);
  const at::Tensor rows = x.repeat({10, 1}), labels = y.repeat({10});
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const LinearProbeResult ten =
        *LinearProbe(rows, labels, x, y, classes, options);
    EXPECT_TRUE(ten.converged);
    EXPECT_NEAR(ten.loss, once.loss, 1e-12);
    EXPECT_TRUE(ten.weight.allclose(once.weight, /*rtol=*/0, /*atol=*/1e-6));
    EXPECT_TRUE(ten.bias.allclose(once.bias, /*rtol=*/0, /*atol=*/1e-6));
    EXPECT_EQ(ten.train_top1, once.train_top1);
    EXPECT_TRUE(ten.test.confusion.equal(once.test.confusion));
  }
  at::set_num_threads(1);
}

TEST(LinearProbeTest, IsDeterministic) {
  RandomFeatures random(3);
  const auto [x, y] = random.Classes(500, 16, 10, 1.0);
  const LinearProbeResult first = *LinearProbe(x, y, x, y, 10);
  const LinearProbeResult second = *LinearProbe(x, y, x, y, 10);
  EXPECT_TRUE(first.weight.equal(second.weight));
  EXPECT_EQ(first.loss, second.loss);
}

TEST(LinearProbeTest, TestRowsAreStandardisedAsTheTrainingRows) {
  // Training separates at 10; standardised by themselves, the test rows 11
  // and 13 would fall on both sides.
  LinearProbeOptions options;
  options.l2 = 0.1;
  EXPECT_EQ(LinearProbe(Rows({8, 12}, 1), Labels({0, 1}), Rows({11, 13}, 1),
                        Labels({1, 1}), 2, options)
                ->test.top1,
            100);
}

TEST(LinearProbeTest, StopsAtTheIterationLimit) {
  RandomFeatures random(7);
  const auto [x, y] = random.Classes(200, 8, 4, 1.0);
  LinearProbeOptions options;
  options.iterations = 2;
  options.tolerance = 0;
  const LinearProbeResult probe = *LinearProbe(x, y, x, y, 4, options);
  EXPECT_EQ(probe.iterations, 2);
  EXPECT_FALSE(probe.converged);
  EXPECT_GT(probe.gradient, 0);
  EXPECT_LT(probe.loss, std::log(4.0));  // below that of W = 0, b = 0
}

TEST(LinearProbeTest, NamesWhatIsWrong) {
  const at::Tensor x = Rows({1, 0, 0, 1}, 2);
  const at::Tensor y = Labels({0, 1});
  LinearProbeOptions negative;
  negative.l2 = -1;
  const absl::Status options = LinearProbe(x, y, x, y, 2, negative).status();
  EXPECT_EQ(options.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(options.message(),
            "l2 is -1, tolerance 1e-05 and iterations 100; need l2 >= 0, "
            "tolerance >= 0 and iterations >= 1");
  EXPECT_EQ(LinearProbe(x, y, x, Labels({0, 2}), 2).status().message(),
            "test labels span 0..2; 2 classes allow 0..1");
  EXPECT_EQ(
      LinearProbe(Rows({1, NAN}, 2), Labels({0}), x, y, 2).status().message(),
      "train features hold a NaN or an infinity; the network has "
      "diverged or its input is not normalized");
}

}  // namespace
}  // namespace gsg
