#include "trainers/evaluate/lbfgs.h"

#include <cmath>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

// f = 1/2 sum_i c_i (x_i - i)^2 with curvatures c_i from 1 to 100: the minimum
// is x_i = i. SciPy's L-BFGS-B with ten pairs takes 97 iterations and 105
// evaluations from here; steepest descent, some thousand.
TEST(MinimizeLbfgsTest, SolvesAQuadraticAsFastAsTheReference) {
  const int64_t n = 30;
  const at::Tensor center = at::arange(n, at::kDouble);
  const at::Tensor curvature = center.mul(2 * M_LN10 / (n - 1)).exp();
  int evaluations = 0;
  auto objective = [&](const at::Tensor& x, at::Tensor& gradient) {
    ++evaluations;
    gradient = curvature.mul(x.sub(center));
    return 0.5 * gradient.dot(x.sub(center)).item<double>();
  };
  const LbfgsResult result =
      MinimizeLbfgs(at::zeros({n}, center.options()), objective, {300, 1e-8});
  EXPECT_TRUE(result.converged);
  EXPECT_LT(result.iterations, 120);
  EXPECT_LT(evaluations, 140);
  EXPECT_LE(result.x.sub(center).abs().max().item<double>(), 1e-8);
  EXPECT_NEAR(result.value, 0, 1e-12);
}

TEST(MinimizeLbfgsTest, StartAtTheMinimumTakesNoStep) {
  auto objective = [](const at::Tensor& x, at::Tensor& gradient) {
    gradient = x.mul(2);
    return x.dot(x).item<double>();
  };
  const LbfgsResult result =
      MinimizeLbfgs(at::zeros({2}, at::kDouble), objective, {10, 0});
  EXPECT_TRUE(result.converged);
  EXPECT_EQ(result.iterations, 0);
}

// x - log x from 1e-3: the full first step, to 999.001, must be shortened,
// and the domain ends at 0.
TEST(MinimizeLbfgsTest, BacktracksIntoTheDomain) {
  auto objective = [](const at::Tensor& x, at::Tensor& gradient) {
    gradient = x.reciprocal().neg().add(1);
    return x.sub(x.log()).sum().item<double>();
  };
  const LbfgsResult result = MinimizeLbfgs(
      at::zeros({1}, at::kDouble).fill_(1e-3), objective, {100, 1e-10});
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(result.x[0].item<double>(), 1, 1e-9);
  EXPECT_NEAR(result.value, 1, 1e-12);
}

}  // namespace
}  // namespace gsg
