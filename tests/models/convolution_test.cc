#include "models/convolution.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/zeros.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/enum.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/options/conv.h>

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "models/small_convolution.h"
#include "tests/models/formula_tensors.h"

namespace gsg {
namespace {

constexpr at::MemoryFormat kLayouts[] = {at::MemoryFormat::Contiguous,
                                         at::MemoryFormat::ChannelsLast};

struct Threads {
  explicit Threads(int count) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before); }
  const int before = at::get_num_threads();
};

struct Result {
  at::Tensor y, dx, dweight;
};

template <class Convolve>
Result Differentiate(const at::Tensor& x, const at::Tensor& weight,
                     const at::Tensor& dy, const Convolve& convolve) {
  const at::Tensor input = x.detach().set_requires_grad(true);
  const at::Tensor kernel = weight.detach().set_requires_grad(true);
  const at::Tensor y = convolve(input, kernel);
  torch::autograd::backward({y}, {dy});
  return {y.detach(), input.grad(), kernel.grad()};
}

// 1e-5 of the largest value: the rounding of float32, 6e-8, by the growth of
// numbers in F(4x4, 3x3) and back, whose transforms have rows with sums of
// magnitudes up to 10 (B), 18 (A) and 1 (G), twice each.
constexpr double kWinogradTolerance = 2e-5;

void ExpectClose(const at::Tensor& got, const at::Tensor& want,
                 const char* what, double tolerance) {
  ASSERT_EQ(got.sizes(), want.sizes()) << what;
  const double error = got.sub(want).abs().max().item<double>();
  EXPECT_LT(error, tolerance * want.abs().max().item<double>()) << what;
}

// Expects that `ours` has torch's results in double precision, in
// channels-last, and the same ones again.
template <class Ours, class Torchs>
void ExpectTorchs(const at::Tensor& x, const at::Tensor& weight,
                  const at::Tensor& dy, const Ours& ours, const Torchs& torchs,
                  double tolerance) {
  const Result got = Differentiate(x, weight, dy, ours);
  const Result want = Differentiate(x.to(c10::kDouble), weight.to(c10::kDouble),
                                    dy.to(c10::kDouble), torchs);
  for (const at::Tensor& tensor : {got.y, got.dx, got.dweight}) {
    EXPECT_EQ(tensor.scalar_type(), x.scalar_type());
  }
  ExpectClose(got.y, want.y, "y", tolerance);
  ExpectClose(got.dx, want.dx, "dx", tolerance);
  ExpectClose(got.dweight, want.dweight, "dweight", tolerance);
  EXPECT_TRUE(got.y.is_contiguous(at::MemoryFormat::ChannelsLast));
  const Result again = Differentiate(x, weight, dy, ours);
  EXPECT_TRUE(again.y.equal(got.y));
  EXPECT_TRUE(again.dx.equal(got.dx));
  EXPECT_TRUE(again.dweight.equal(got.dweight));
}

// Where one gradient is asked for, or none.
template <class Convolve>
void ExpectGradientsAskedFor(const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& dy, const Convolve& convolve) {
  const Result both = Differentiate(x, weight, dy, convolve);

  at::Tensor kernel = weight.detach().set_requires_grad(true);
  torch::autograd::backward({convolve(x, kernel)}, {dy});
  EXPECT_TRUE(kernel.grad().equal(both.dweight));

  at::Tensor input = x.detach().set_requires_grad(true);
  torch::autograd::backward({convolve(input, weight)}, {dy});
  EXPECT_TRUE(input.grad().equal(both.dx));

  EXPECT_FALSE(convolve(x, weight).requires_grad());
}

struct Case {
  std::vector<int64_t> x;
  int64_t out;
};

TEST(ConvolutionTest, ZerosBehindTheChannelsChangeNothing) {
  const at::Tensor x = Uniform("x", {2, 3, 9, 7}).contiguous(kLayouts[1]);
  const at::Tensor weight = Uniform("w", {5, 3, 3, 3}).contiguous(kLayouts[1]);
  const std::vector<int64_t> stride = {2, 1}, padding = {1, 1},
                             dilation = {1, 1};
  const at::Tensor dy = Uniform("dy", {2, 5, 5, 7});
  const Result want = Differentiate(
      x, weight, dy, [&](const at::Tensor& x, const at::Tensor& w) {
        return at::conv2d(x, w, {}, stride, padding, dilation);
      });
  const Result got = Differentiate(
      x, weight, dy, [&](const at::Tensor& x, const at::Tensor& w) {
        return ConvolvePadded(x, w, stride, padding, dilation);
      });
  EXPECT_TRUE(got.y.allclose(want.y, 1e-12));
  EXPECT_TRUE(got.dx.allclose(want.dx, 1e-12));
  EXPECT_TRUE(got.dweight.allclose(want.dweight, 1e-12));
}

TEST(ConvolutionTest, IsTorchsInDoublePrecision) {
  for (int threads : {1, 3}) {
    const Threads scope(threads);
    for (const Case& c : {
             Case{{2, 16, 8, 8}, 16},     // fewer panels than threads
             Case{{2, 32, 5, 7}, 48},     // tiles cut off
             Case{{1, 16, 1, 2}, 16},     // less than one
             Case{{12, 32, 40, 40}, 32},  // more than one chunk
             Case{{5, 64, 4, 4}, 32},
         }) {
      for (at::MemoryFormat layout : kLayouts) {
        SCOPED_TRACE(testing::Message()
                     << threads << " threads, " << at::IntArrayRef(c.x)
                     << " in layout " << layout);
        const at::Tensor x =
            (Uniform("x", c.x) - 0.5).to(c10::kFloat).contiguous(layout);
        const at::Tensor weight =
            (Uniform("weight", {c.out, c.x[1], 3, 3}) - 0.5)
                .to(c10::kFloat)
                .contiguous(layout);
        const at::Tensor dy =
            (Uniform("dy", {c.x[0], c.out, c.x[2], c.x[3]}) - 0.5)
                .to(c10::kFloat)
                .contiguous(layout);
        ExpectTorchs(
            x, weight, dy, Convolve3x3,
            [](const at::Tensor& input, const at::Tensor& kernel) {
              return at::conv2d(input, kernel, /*bias=*/{}, 1, 1);
            },
            kWinogradTolerance);
      }
    }
  }
}

TEST(ConvolutionTest, OnlyTheGradientsThatAreAskedFor) {
  const at::Tensor x = Uniform("x", {3, 32, 8, 8}).to(c10::kFloat);
  const at::Tensor weight = Uniform("w", {32, 32, 3, 3}).to(c10::kFloat);
  const at::Tensor dy = Uniform("dy", {3, 32, 8, 8}).to(c10::kFloat);
  ExpectGradientsAskedFor(x, weight, dy, Convolve3x3);
}

// Each in which ConvolveSmall differs: places of the kernel, by stride, size
// and padding.
TEST(ConvolutionTest, SmallImagesAreTorchsInDoublePrecision) {
  struct Small {
    std::vector<int64_t> x;
    int64_t out, kernel, stride, padding;
  };
  for (const Small& c : {
           Small{{33, 16, 2, 2}, 24, 3, 1, 1},
           Small{{33, 16, 1, 1}, 24, 3, 1, 1},
           Small{{33, 16, 3, 3}, 24, 3, 1, 1},
           Small{{33, 16, 3, 3}, 24, 3, 2, 1},
           Small{{33, 16, 4, 3}, 8, 3, 2, 1},
           Small{{33, 16, 5, 8}, 8, 1, 2, 0},
           Small{{5, 3, 7, 7}, 8, 7, 2, 3},
           Small{{5, 3, 4, 4}, 8, 4, 4, 0},
           Small{{5, 3, 4, 5}, 8, 2, 3, 1},
       }) {
    for (at::MemoryFormat layout : kLayouts) {
      SCOPED_TRACE(testing::Message()
                   << at::IntArrayRef(c.x) << " in layout " << layout
                   << ", kernel " << c.kernel << ", stride " << c.stride
                   << ", padding " << c.padding);
      const auto torchs = [&](const at::Tensor& input,
                              const at::Tensor& kernel) {
        return at::conv2d(input, kernel, /*bias=*/{}, c.stride, c.padding);
      };
      const auto ours = [&](const at::Tensor& input, const at::Tensor& kernel) {
        return ConvolveSmall(input, kernel, {c.stride, c.padding});
      };
      // Results are rounded once.
      for (const auto& [type, tolerance] :
           {std::pair{c10::kFloat, 2e-5}, std::pair{c10::kBFloat16, 0x1p-8}}) {
        const auto random = [&, type = type](const char* name,
                                             at::IntArrayRef sizes) {
          return (Uniform(name, sizes.vec()) - 0.5).to(type).contiguous(layout);
        };
        const at::Tensor x = random("x", c.x);
        const at::Tensor weight =
            random("weight", {c.out, c.x[1], c.kernel, c.kernel});
        const at::Tensor dy = random("dy", torchs(x, weight).sizes());
        ExpectTorchs(x, weight, dy, ours, torchs, tolerance);
      }
    }
  }
}

TEST(ConvolutionTest, OnlyTheGradientsOfSmallImagesThatAreAskedFor) {
  const at::Tensor x = Uniform("x", {33, 32, 2, 2}).to(c10::kFloat);
  const at::Tensor weight = Uniform("w", {32, 32, 3, 3}).to(c10::kFloat);
  const at::Tensor dy = Uniform("dy", {33, 32, 2, 2}).to(c10::kFloat);
  ExpectGradientsAskedFor(
      x, weight, dy, [](const at::Tensor& input, const at::Tensor& kernel) {
        return ConvolveSmall(input, kernel, {1, 1});
      });
}

TEST(ConvolutionTest, OtherArgumentsThrow) {
  const at::Tensor x = at::zeros({1, 3, 8, 8});
  try {
    Convolve3x3(x, at::zeros({16, 3, 3, 3}));
    FAIL() << "three channels";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "Convolve3x3 takes float32 on the CPU, [N, I, H, W] and "
                 "[O, I, 3, 3], I and O multiples of 16; got [1, 3, 8, 8] and "
                 "[16, 3, 3, 3] of Float and Float");
  }
  try {
    ConvolveSmall(x, at::zeros({16, 3, 3, 3}), {1, 3});
    FAIL() << "a place of the kernel beside the image";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "ConvolveSmall takes float32 or bfloat16 on the CPU, "
                 "[N, I, H, W] and [O, I, K, K], K above the padding and at "
                 "most the padded image; got [1, 3, 8, 8] and [16, 3, 3, 3] of "
                 "Float and "
                 "Float, stride 1, padding 3");
  }
}

torch::nn::Conv2dOptions Options(int64_t in, int64_t out, int64_t kernel) {
  return torch::nn::Conv2dOptions(in, out, kernel)
      .padding(kernel / 2)
      .bias(false);
}

TEST(ConvolutionTest, ModuleTakesItWhereItPays) {
  const at::NoGradGuard no_grad;
  Conv2d many(Options(64, 64, 3));
  const at::Tensor x = Uniform("x", {16, 64, 8, 8}).to(c10::kFloat);
  EXPECT_TRUE(many->forward(x).equal(Convolve3x3(x, many->weight)));
  Conv2d conv(Options(32, 32, 3));
  const at::Tensor small = Uniform("x", {32, 32, 3, 3}).to(c10::kFloat);
  EXPECT_TRUE(
      conv->forward(small).equal(ConvolveSmall(small, conv->weight, {1, 1})));
  Conv2d strided(Options(32, 32, 1).stride(2));
  const at::Tensor larger = Uniform("x", {32, 32, 8, 8}).to(c10::kFloat);
  EXPECT_TRUE(strided->forward(larger).equal(
      ConvolveSmall(larger, strided->weight, {2, 0})));
}

// Everything else is torch's, to the bit.
TEST(ConvolutionTest, ModuleIsTorchsElsewhere) {
  const at::NoGradGuard no_grad;
  struct Other {
    const char* what;
    torch::nn::Conv2dOptions options;
    std::vector<int64_t> x;
    c10::ScalarType type = c10::kFloat;
  };
  for (const Other& other : {
           Other{"double", Options(64, 64, 3), {16, 64, 8, 8}, c10::kDouble},
           Other{"1x1", Options(64, 64, 1), {16, 64, 8, 8}},
           Other{"5x5", Options(64, 64, 5), {16, 64, 8, 8}},
           Other{"stride", Options(64, 64, 3).stride(2), {16, 64, 8, 8}},
           Other{"padding", Options(64, 64, 3).padding(0), {16, 64, 8, 8}},
           Other{"same",
                 Options(64, 64, 3).padding(torch::kSame),
                 {16, 64, 8, 8}},
           Other{"dilation", Options(64, 64, 3).dilation(2), {16, 64, 8, 8}},
           Other{"groups", Options(64, 64, 3).groups(2), {16, 64, 8, 8}},
           Other{"bias", Options(64, 64, 3).bias(true), {16, 64, 8, 8}},
           Other{"channels", Options(3, 32, 3), {16, 3, 8, 8}},
           Other{"few channels", Options(16, 32, 3), {64, 16, 8, 8}},
           Other{"few tiles", Options(64, 64, 3), {1, 64, 8, 8}},
           Other{"tiles mostly beside the image",
                 Options(64, 64, 3),
                 {64, 64, 5, 5}},
           Other{"small images, few", Options(32, 32, 3), {8, 32, 2, 2}},
           Other{"small images, few channels",
                 Options(16, 16, 3),
                 {64, 16, 2, 2}},
       }) {
    SCOPED_TRACE(other.what);
    Conv2d ours(other.options);
    torch::nn::Conv2d theirs(other.options);
    ours->to(other.type);
    theirs->to(other.type);
    theirs->weight.copy_(ours->weight);
    if (theirs->bias.defined()) theirs->bias.copy_(ours->bias);
    const at::Tensor x = Uniform("x", other.x).to(other.type);
    EXPECT_TRUE(ours->forward(x).equal(theirs->forward(x)));
  }
}

}  // namespace
}  // namespace gsg
