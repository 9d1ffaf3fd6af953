#include "trainers/optim/lars.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

at::Tensor Row(std::vector<double> values) {
  return at::tensor(values, at::kDouble).unsqueeze(0);
}

void SetGrad(at::Tensor parameter, const at::Tensor& gradient) {
  parameter.mutable_grad() = gradient;
}

double At(const at::Tensor& parameter, int64_t i) {
  return parameter.detach().view(-1)[i].item<double>();
}

TEST(LarsTest, TwoStepsByHand) {
  at::Tensor w = Row({3, 4}).requires_grad_();
  Lars lars({{{{"w", w}}, /*weight_decay=*/0.5, /*constant_lr=*/false}},
            /*momentum=*/0.5, /*coefficient=*/0.1);
  SetGrad(w, Row({-1.5, 4}));
  lars.Step(/*lr=*/2, /*peak_lr=*/9);
  // g = (-1.5, 4) + 0.5 (3, 4) = (0, 6); ||w|| = 5, ||g|| = 6;
  // v = 0.1 * 5 / 6 * g = (0, 0.5); w = (3, 4) - 2 v.
  EXPECT_NEAR(At(w, 0), 3, 1e-15);
  EXPECT_NEAR(At(w, 1), 3, 1e-15);
  SetGrad(w, Row({-1.5, 0.5}));
  lars.Step(2, 9);
  // g = (0, 2); v = 0.5 (0, 0.5) + 0.1 * sqrt(18) / 2 * (0, 2)
  EXPECT_NEAR(At(w, 1), 3 - 2 * (0.25 + 0.1 * 4.242640687119285), 1e-14);
}

TEST(LarsTest, LayerScalesAreAsInSgd) {
  at::Tensor scale = at::full({2, 1, 1}, 1e-6, at::kDouble).requires_grad_();
  Lars lars({{{{"layer_scale", scale}}, 0, false}}, 0.9, 0.001);
  SetGrad(scale, at::full({2, 1, 1}, 1.0, at::kDouble));
  lars.Step(0.1, 0.1);
  EXPECT_NEAR(At(scale, 1), 1e-6 - 0.1, 1e-15);
}

TEST(LarsTest, BiasesAndZeroNormsAreAsInSgd) {
  at::Tensor bias = at::tensor({1.0, 2.0}, at::kDouble).requires_grad_();
  at::Tensor zero = at::zeros({1, 2}, at::kDouble).requires_grad_();
  Lars lars({{{{"bias", bias}, {"zero", zero}}, 0, false}}, 0.9, 0.001);
  SetGrad(bias, at::tensor({1.0, 0.0}, at::kDouble));
  SetGrad(zero, Row({0.5, 0}));
  lars.Step(0.1, 0.1);
  EXPECT_NEAR(At(bias, 0), 0.9, 1e-15);
  EXPECT_NEAR(At(bias, 1), 2, 1e-15);
  EXPECT_NEAR(At(zero, 0), -0.05, 1e-15);
  // No gradient at all: 0 / 0 must not get in.
  SetGrad(zero, Row({0, 0}));
  lars.Step(0.1, 0.1);
  EXPECT_NEAR(At(zero, 0), -0.05 - 0.1 * 0.9 * 0.5, 1e-15);
}

}  // namespace
}  // namespace gsg
