#include "trainers/optim/sgd.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

at::Tensor Parameter(std::vector<double> values) {
  return at::tensor(values, at::kDouble).requires_grad_();
}

void SetGrad(at::Tensor parameter, std::vector<double> values) {
  parameter.mutable_grad() = at::tensor(values, at::kDouble);
}

double Value(const at::Tensor& parameter) {
  return parameter.detach().item<double>();
}

TEST(SgdTest, TwoStepsByHand) {
  at::Tensor w = Parameter({1.0});
  Sgd sgd({{{{"w", w}}, /*weight_decay=*/0.1, /*constant_lr=*/false}},
          /*momentum=*/0.5);
  SetGrad(w, {2.0});
  sgd.Step(/*lr=*/0.1, /*peak_lr=*/9);
  // v = 2 + 0.1 * 1 = 2.1; w = 1 - 0.21
  EXPECT_NEAR(Value(w), 0.79, 1e-15);
  SetGrad(w, {1.0});
  sgd.Step(0.1, 9);
  // v = 0.5 * 2.1 + 1 + 0.079 = 2.129; w = 0.79 - 0.2129
  EXPECT_NEAR(Value(w), 0.5771, 1e-15);
}

TEST(SgdTest, WithoutMomentum) {
  at::Tensor w = Parameter({1.0});
  Sgd sgd({{{{"w", w}}, /*weight_decay=*/0.1, /*constant_lr=*/false}},
          /*momentum=*/0);
  for (int step = 0; step < 2; ++step) {
    SetGrad(w, {2.0});
    sgd.Step(/*lr=*/0.1, /*peak_lr=*/9);
  }
  // 1 - 0.1 * 2.1 = 0.79; 0.79 - 0.1 * 2.079
  EXPECT_NEAR(Value(w), 0.5821, 1e-15);
}

TEST(SgdTest, ConstantRateGroupsUseThePeak) {
  at::Tensor encoder = Parameter({0.0}), predictor = Parameter({0.0});
  Sgd sgd({{{{"encoder", encoder}}, 0, false},
           {{{"predictor", predictor}}, 0, true}},
          0.9);
  SetGrad(encoder, {1.0});
  SetGrad(predictor, {1.0});
  sgd.Step(/*lr=*/0.25, /*peak_lr=*/2);
  EXPECT_DOUBLE_EQ(Value(encoder), -0.25);
  EXPECT_DOUBLE_EQ(Value(predictor), -2);
}

// Rates in tensors, as a CUDA graph needs them: the step is the same, and those
// that count are the last ones set.
TEST(SgdTest, RatesMayBeInTensors) {
  at::Tensor encoder = Parameter({0.0}), predictor = Parameter({0.0});
  Sgd sgd({{{{"encoder", encoder}}, 0, false},
           {{{"predictor", predictor}}, 0, true}},
          0.9);
  sgd.KeepRatesOn(encoder.device());
  SetGrad(encoder, {1.0});
  SetGrad(predictor, {1.0});
  sgd.SetRates(/*lr=*/8, /*peak_lr=*/8);
  sgd.SetRates(/*lr=*/0.25, /*peak_lr=*/0.5);
  sgd.StepAtRates();
  EXPECT_EQ(Value(encoder), -0.25);
  EXPECT_EQ(Value(predictor), -0.5);
}

TEST(SgdTest, WithoutGradientNothingMoves) {
  at::Tensor used = Parameter({1.0}), unused = Parameter({1.0});
  Sgd sgd({{{{"used", used}, {"unused", unused}}, 0.5, false}}, 0.9);
  SetGrad(used, {1.0});
  sgd.Step(0.1, 0.1);
  EXPECT_NE(Value(used), 1);
  EXPECT_EQ(Value(unused), 1);  // nor does weight decay touch it
  sgd.ZeroGrad();
  EXPECT_FALSE(used.grad().defined());
  const double before = Value(used);
  sgd.Step(0.1, 0.1);
  EXPECT_EQ(Value(used), before);
}

// Threads have parameters of their own; which one has which changes no bit.
TEST(SgdTest, NumberOfThreadsDoesNotMatter) {
  std::vector<at::Tensor> results;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    std::vector<ParameterGroup> groups(2);
    std::vector<at::Tensor> parameters;
    for (int i = 0; i < 7; ++i) {
      // The first is too large for one thread.
      const int64_t size = i == 0 ? 100'000 : 10 * i;
      const at::Tensor w = at::arange(size, at::kFloat).sin_().requires_grad_();
      w.mutable_grad() = at::arange(size, at::kFloat).cos_();
      groups[i % 2].parameters.emplace_back(std::to_string(i), w);
      groups[i % 2].weight_decay = 0.1 * (i % 2);
      parameters.push_back(w.detach());
    }
    Sgd sgd(std::move(groups), 0.9);
    for (int step = 0; step < 2; ++step) sgd.Step(0.1, 0.1);
    results.push_back(at::cat(parameters));
  }
  EXPECT_TRUE(at::equal(results[0], results[1]));
  EXPECT_TRUE(at::equal(results[0], results[2]));
}

// Copying State() into a new optimizer continues bit for bit.
TEST(SgdTest, StateIsEverything) {
  at::Tensor a = Parameter({1.0, -2.0}), b = Parameter({1.0, -2.0});
  Sgd first({{{{"w", a}}, 1e-3, false}}, 0.9);
  Sgd second({{{{"w", b}}, 1e-3, false}}, 0.9);
  SetGrad(a, {0.3, 0.7});
  first.Step(0.1, 0.1);
  b.detach().copy_(a.detach());
  ASSERT_EQ(first.State().size(), 1u);
  EXPECT_EQ(first.State()[0].first, "w");
  second.State()[0].second.copy_(first.State()[0].second);
  for (at::Tensor w : {a, b}) SetGrad(w, {-0.1, 0.2});
  first.Step(0.05, 0.1);
  second.Step(0.05, 0.1);
  EXPECT_TRUE(at::equal(a, b));
}

}  // namespace
}  // namespace gsg
