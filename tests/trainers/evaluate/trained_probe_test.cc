#include "trainers/evaluate/trained_probe.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/tensor.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/trainers/evaluate/random_features.h"

namespace gsg {
namespace {

using Kind = TrainedProbeOptions::Optimizer;
using Matrix = std::vector<std::vector<double>>;

at::Tensor Labels(const std::vector<int64_t>& labels) {
  return at::tensor(labels);
}

at::Tensor Rows(const std::vector<float>& values, int64_t width) {
  return at::tensor(values).view({-1, width});
}

double Norm(const Matrix& m) {
  double sum = 0;
  for (const auto& row : m) {
    for (const double value : row) sum += value * value;
  }
  return std::sqrt(sum);
}

struct Layer {
  Matrix weight;  // [d][classes]
  std::vector<double> bias;
};

// The training in double and loops, for batches that hold all rows, so that
// their order does not matter, from weights of zero.
Layer NaiveTraining(const at::Tensor& features, const at::Tensor& labels,
                    int64_t classes, const TrainedProbeOptions& options) {
  const auto x = features.accessor<float, 2>();
  const int64_t n = x.size(0), d = x.size(1);
  Layer layer = {Matrix(d, std::vector<double>(classes)),
                 std::vector<double>(classes)};
  Matrix velocity = layer.weight;
  std::vector<double> bias_velocity = layer.bias;
  for (int64_t step = 0; step < options.epochs; ++step) {
    Matrix gradient(d, std::vector<double>(classes));
    std::vector<double> bias_gradient(classes);
    for (int64_t i = 0; i < n; ++i) {
      std::vector<double> p(classes);
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) {
        double logit = layer.bias[c];
        for (int64_t j = 0; j < d; ++j) logit += x[i][j] * layer.weight[j][c];
        sum += p[c] = std::exp(logit);
      }
      for (int64_t c = 0; c < classes; ++c) {
        const double r = p[c] / sum - (labels[i].item<int64_t>() == c);
        for (int64_t j = 0; j < d; ++j) gradient[j][c] += r * x[i][j] / n;
        bias_gradient[c] += r / n;
      }
    }
    for (int64_t j = 0; j < d; ++j) {
      for (int64_t c = 0; c < classes; ++c) {
        gradient[j][c] += options.weight_decay * layer.weight[j][c];
      }
    }
    const double w = Norm(layer.weight), g = Norm(gradient);
    const bool adapt = options.optimizer == Kind::kLars && w > 0 && g > 0;
    const double scale = adapt ? 0.001 * w / g : 1;
    const double lr = options.base_lr * n / 256 *
                      (1 + std::cos(M_PI * step / options.epochs)) / 2;
    for (int64_t c = 0; c < classes; ++c) {
      for (int64_t j = 0; j < d; ++j) {
        velocity[j][c] =
            options.momentum * velocity[j][c] + scale * gradient[j][c];
        layer.weight[j][c] -= lr * velocity[j][c];
      }
      bias_velocity[c] = options.momentum * bias_velocity[c] +
                         bias_gradient[c] +
                         options.weight_decay * layer.bias[c];
      layer.bias[c] -= lr * bias_velocity[c];
    }
  }
  return layer;
}

class TrainProbeTest : public testing::TestWithParam<Kind> {};

TEST_P(TrainProbeTest, FollowsTheDefinition) {
  RandomFeatures random(17);
  const int64_t d = 5, classes = 3;
  const auto [x, y] = random.Classes(64, d, classes, 0.5);
  TrainedProbeOptions options;
  options.optimizer = GetParam();
  options.epochs = 12;
  options.base_lr = 2;
  options.weight_decay = 0.01;
  options.init_std = 0;
  const TrainedProbeResult probe = *TrainProbe(x, y, x, y, classes, options);
  const Layer expected = NaiveTraining(x, y, classes, options);
  double largest = 0;
  for (int64_t c = 0; c < classes; ++c) {
    for (int64_t j = 0; j < d; ++j) {
      largest = std::max(largest, std::abs(expected.weight[j][c]));
      // Twelve steps of sums of 64 products in float32.
      EXPECT_NEAR(probe.weight[j][c].item<double>(), expected.weight[j][c],
                  2e-6);
    }
    EXPECT_NEAR(probe.bias[c].item<double>(), expected.bias[c], 2e-6);
  }
  EXPECT_GT(largest, 0.1);  // it went somewhere
}

TEST_P(TrainProbeTest, IsAFunctionOfItsSeed) {
  RandomFeatures random(3);
  const auto [x, y] = random.Classes(500, 16, 10, 1.0);
  TrainedProbeOptions options;
  options.optimizer = GetParam();
  options.epochs = 3;
  options.batch_size = 64;
  const TrainedProbeResult first = *TrainProbe(x, y, x, y, 10, options);
  const TrainedProbeResult second = *TrainProbe(x, y, x, y, 10, options);
  EXPECT_TRUE(first.weight.equal(second.weight));
  EXPECT_EQ(first.loss, second.loss);
  options.seed = 1;
  EXPECT_FALSE(first.weight.equal(TrainProbe(x, y, x, y, 10, options)->weight));
}

// Between classes that overlap nothing does much better than the optimum of
// logistic regression; chance is 10 percent.
TEST_P(TrainProbeTest, LearnsWhatThereIsToLearn) {
  RandomFeatures random(23);
  const auto [x, y] = random.Classes(2000, 16, 10, 0.3);
  const auto [test, test_labels] = random.Classes(1000, 16, 10, 0.3);
  TrainedProbeOptions options =
      GetParam() == Kind::kLars ? LarsProbe() : SgdProbe();
  options.batch_size = 256;
  options.epochs = 30;
  if (GetParam() == Kind::kLars) options.base_lr = 10;
  const TrainedProbeResult probe =
      *TrainProbe(x, y, test, test_labels, 10, options);
  EXPECT_GT(probe.test.top1, 85);
  EXPECT_GT(probe.test.top5, 99);
  EXPECT_GT(probe.train_top1, 85);
  EXPECT_LT(probe.loss, 1);
  EXPECT_EQ(probe.test.confusion.sum().item<int64_t>(), 1000);
  EXPECT_EQ(probe.test.confusion.diagonal().sum().item<int64_t>(),
            std::lround(probe.test.top1 * 10));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, TrainProbeTest,
                         testing::Values(Kind::kLars, Kind::kSgd));

// With all rows the same a batch of any size has the same gradient: five rows
// in batches of two are three steps an epoch.
TEST(TrainProbeTest, TheLastBatchOfAnEpochMayBeSmaller) {
  const at::Tensor x = Rows({1, 1, 1, 1, 1}, 1);
  const at::Tensor y = Labels({0, 0, 0, 0, 0});
  TrainedProbeOptions options;
  options.optimizer = Kind::kSgd;
  options.epochs = 1;
  options.batch_size = 2;
  options.base_lr = 128;  // times 2 / 256: 1
  options.momentum = 0.5;
  options.init_std = 0;
  // Weight and bias take the same steps; class 1 those of class 0 negated.
  double bias = 0, velocity = 0;
  for (int step = 0; step < 3; ++step) {
    const double p = 1 / (1 + std::exp(-4 * bias));
    velocity = 0.5 * velocity + 1 - p;
    bias += velocity * (1 + std::cos(M_PI * step / 3)) / 2;
  }
  const TrainedProbeResult probe = *TrainProbe(x, y, x, y, 2, options);
  EXPECT_NEAR(probe.bias[0].item<double>(), bias, 1e-6);
  EXPECT_NEAR(probe.weight[0][1].item<double>(), -bias, 1e-6);
}

// Features far from zero and of different scales are as good as any if they
// are standardised, with the training rows' mean for the test rows too.
TEST(TrainProbeTest, StandardisedFeaturesMayHaveAnyScale) {
  RandomFeatures random(29);
  const auto [x, y] = random.Classes(512, 4, 4, 0.2);
  const auto [test, test_labels] = random.Classes(256, 4, 4, 0.2);
  const at::Tensor scale = at::tensor({1e4f, 1.0f, 1e-4f, 1.0f});
  const at::Tensor shift = at::tensor({3e4f, -5.0f, 0.0f, 100.0f});
  const TrainedProbeResult plain =
      *TrainProbe(x, y, test, test_labels, 4, SgdProbe());
  const TrainedProbeResult moved =
      *TrainProbe(x.mul(scale).add(shift), y, test.mul(scale).add(shift),
                  test_labels, 4, SgdProbe());
  EXPECT_GT(plain.test.top1, 95);
  EXPECT_NEAR(moved.test.top1, plain.test.top1, 1);
  EXPECT_NEAR(moved.loss, plain.loss, 1e-3);
}

TEST(TrainProbeTest, NamesWhatIsWrong) {
  const at::Tensor x = Rows({1, 0, 0, 1}, 2);
  const at::Tensor y = Labels({0, 1});
  TrainedProbeOptions bad;
  bad.epochs = 0;
  const absl::Status status = TrainProbe(x, y, x, y, 2, bad).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "epochs is 0, batch_size 4096, base_lr 0.1, momentum 0.9, "
            "weight_decay 0 and init_std 0.01; need the first three positive "
            "and the others not negative");
  EXPECT_EQ(
      TrainProbe(x, y, x, Labels({0, 2}), 2, LarsProbe()).status().message(),
      "test labels span 0..2; 2 classes allow 0..1");
}

TEST(TrainProbeTest, SaysThatItDiverged) {
  const at::Tensor x = Rows({1e30f, 0, 0, 1e30f}, 2);
  TrainedProbeOptions options = SgdProbe();
  options.standardize = false;
  options.init_std = 0;
  options.base_lr = 1e30;
  const at::Tensor y = Labels({0, 1});
  const absl::Status status = TrainProbe(x, y, x, y, 2, options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(),
            "the linear probe diverged with base_lr 1e+30; try 1e+29");
}

}  // namespace
}  // namespace gsg
