#include "models/linear.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/models/formula_tensors.h"

namespace gsg {
namespace {

struct Result {
  at::Tensor y, dx, dweight, dbias;
};

template <class Layer>
Result Differentiate(const at::Tensor& x, const at::Tensor& weight,
                     const at::Tensor& bias, const at::Tensor& dy,
                     const Layer& layer) {
  const auto leaf = [](const at::Tensor& tensor) {
    return tensor.detach().clone().set_requires_grad(true);
  };
  const at::Tensor input = leaf(x), factor = leaf(weight), shift = leaf(bias);
  const at::Tensor y = layer(input, factor, shift);
  torch::autograd::backward({y}, {dy});
  return {y.detach(), input.grad(), factor.grad(), shift.grad()};
}

at::Tensor Torchs(const at::Tensor& x, const at::Tensor& weight,
                  const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

// Of the largest value: sums of up to 5000 products of float32 in any order.
void ExpectClose(const at::Tensor& got, const at::Tensor& want) {
  ASSERT_EQ(got.sizes(), want.sizes());
  EXPECT_EQ(got.scalar_type(), c10::kFloat);
  EXPECT_LT(got.sub(want).abs().max().item<double>(),
            1e-5 * want.abs().max().item<double>());
}

at::Tensor Values(const char* name, at::IntArrayRef sizes) {
  return (Uniform(name, sizes.vec()) - 0.5).to(c10::kFloat);
}

void ExpectIsTorchsInDouble(const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& dy) {
  const Result want =
      Differentiate(x.to(c10::kDouble), weight.to(c10::kDouble),
                    bias.to(c10::kDouble), dy.to(c10::kDouble), Torchs);
  const Result got = Differentiate(x, weight, bias, dy, LinearByOnednn);
  ExpectClose(got.y, want.y);
  ExpectClose(got.dx, want.dx);
  ExpectClose(got.dweight, want.dweight);
  ExpectClose(got.dbias, want.dbias);
}

TEST(LinearTest, IsTorchsInDoublePrecision) {
  struct Case {
    std::vector<int64_t> x;
    int64_t out;
  };
  for (const Case& c :
       {Case{{3}, 2}, Case{{1, 1}, 1}, Case{{7, 5}, 3}, Case{{64, 32}, 32},
        Case{{13, 9, 50}, 33}, Case{{2, 3, 4, 16}, 48}, Case{{5000, 40}, 24},
        Case{{1100, 24}, 40}}) {
    SCOPED_TRACE(testing::Message() << at::IntArrayRef(c.x) << " " << c.out);
    std::vector<int64_t> sizes = c.x;
    sizes.back() = c.out;
    ExpectIsTorchsInDouble(Values("x", c.x),
                           Values("weight", {c.out, c.x.back()}),
                           Values("bias", {c.out}), Values("dy", sizes));
  }
}

TEST(LinearTest, TakesTensorsInAnyLayout) {
  ExpectIsTorchsInDouble(Values("x", {4, 12, 20}).transpose(0, 1),
                         Values("weight", {20, 8}).t(), Values("bias", {8}),
                         Values("dy", {8, 4, 12}).permute({2, 1, 0}));
}

TEST(LinearTest, TakesNoBias) {
  const at::Tensor x = Values("x", {6, 10}), weight = Values("weight", {4, 10});
  ExpectClose(LinearByOnednn(x, weight, {}),
              at::linear(x.to(c10::kDouble), weight.to(c10::kDouble)));
}

TEST(LinearTest, GradientsThatNobodyAsksForAreNotThere) {
  const at::Tensor x = Values("x", {6, 10});
  const at::Tensor weight = Values("weight", {4, 10}).set_requires_grad(true);
  torch::autograd::backward({LinearByOnednn(x, weight, {})},
                            {Values("dy", {6, 4})});
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(LinearByOnednn(x, weight.detach(), {}).requires_grad());
}

TEST(LinearTest, RefusesWhatItCannotMultiply) {
  const at::Tensor x = Values("x", {6, 10});
  EXPECT_THROW(LinearByOnednn(x, Values("weight", {10, 4}), {}),
               c10::ValueError);
  EXPECT_THROW(
      LinearByOnednn(x.to(c10::kDouble), Values("weight", {4, 10}), {}),
      c10::ValueError);
  EXPECT_THROW(LinearByOnednn(x, Values("weight", {10}), {}), c10::ValueError);
}

TEST(LinearTest, ALayerIsTorchsWhereThatIsFaster) {
  const at::Tensor x = Values("x", {96, 48});
  const at::Tensor weight = Values("weight", {40, 48});
  const at::Tensor bias = Values("bias", {40});
  const at::Tensor got = ApplyLinear(x, weight, bias);
  EXPECT_TRUE(got.equal(OnednnPays(x, weight) ? LinearByOnednn(x, weight, bias)
                                              : at::linear(x, weight, bias)));
  EXPECT_FALSE(OnednnPays(x.to(c10::kDouble), weight.to(c10::kDouble)));
  EXPECT_FALSE(OnednnPays(x.slice(0, 0, 0), weight));
  EXPECT_EQ(ApplyLinear(x.slice(0, 0, 0), weight, bias).size(1), 40);
}

TEST(LinearTest, AutocastHasItsOwnType) {
  const at::Tensor x = Values("x", {96, 48});
  const at::Tensor weight = Values("weight", {40, 48});
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  EXPECT_EQ(ApplyLinear(x, weight, {}).scalar_type(), c10::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, false);
}

}  // namespace
}  // namespace gsg
