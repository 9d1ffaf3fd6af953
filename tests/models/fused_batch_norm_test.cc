#include "models/fused_batch_norm.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/functional/batchnorm.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/options/batchnorm.h>

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gsg_core/half.h"
#include "gtest/gtest.h"
#include "models/batch_norm.h"
#include "models/batch_statistics.h"
#include "models/device_batch_norm.h"
#include "tests/cuda/emulated_batch_norm.h"
#include "tests/models/formula_tensors.h"

namespace gsg {
namespace {

struct Case {
  const char* name;
  std::vector<int64_t> x;
  int64_t views = 1;
  bool affine = true;
  bool residual = false;
  bool relu = false;
};

const Case kCases[] = {
    {"features", {12, 16}, 1},
    {"features, no affine", {24, 16}, 3, false},
    {"features of two views, relu", {16, 24}, 2, true, false, true},
    {"images", {2, 8, 3, 5}},
    {"relu", {4, 8, 3, 5}, 2, true, false, true},
    {"residual", {4, 8, 3, 5}, 2, true, true, false},
    {"residual, relu", {4, 16, 3, 5}, 2, true, true, true},
    {"no affine, residual, relu", {2, 16, 3, 5}, 1, false, true, true},
    // More rows than a block has, the last one cut off.
    {"many blocks", {6, 8, 31, 23}, 2, true, true, true},
};

struct Inputs {
  at::Tensor x, residual, dy, weight, bias;
};

// Values far from zero, where E[x^2] - E[x]^2 would lose three digits.
Inputs InputsOf(const Case& c) {
  const auto make = [&](const char* name, double scale, double shift) {
    at::Tensor t = ((Uniform(name, c.x) - 0.5) * scale + shift).to(c10::kFloat);
    return c.x.size() == 4 ? t.contiguous(at::MemoryFormat::ChannelsLast) : t;
  };
  const int64_t channels = c.x[1];
  return {make("x", 2, 10), make("residual", 1, 0), make("dy", 1, 0.1),
          (Uniform("weight", {channels}) + 0.5).to(c10::kFloat),
          (Uniform("bias", {channels}) - 0.5).to(c10::kFloat)};
}

struct Result {
  at::Tensor y, dx, dresidual, dweight, dbias, running_mean, running_var;
};

at::Tensor Leaf(const at::Tensor& tensor, c10::ScalarType type) {
  return tensor.detach()
      .to(type, /*non_blocking=*/false, /*copy=*/true)
      .set_requires_grad(true);
}

// torch's BatchNorm in double precision, view after view. `ours`: our y, which
// says where the gradient passes: near zero rounding decides that.
Result Want(const Case& c, const Inputs& in, const at::Tensor& ours) {
  const int64_t channels = c.x[1];
  torch::nn::BatchNorm2d images(
      torch::nn::BatchNormOptions(channels).affine(c.affine).momentum(0.3));
  torch::nn::BatchNorm1d features(images->options);
  images->to(c10::kDouble);
  features->to(c10::kDouble);
  const at::Tensor x = Leaf(in.x, c10::kDouble);
  const at::Tensor residual = Leaf(in.residual, c10::kDouble);
  const bool is_image = c.x.size() == 4;
  at::Tensor weight = is_image ? images->weight : features->weight;
  at::Tensor bias = is_image ? images->bias : features->bias;
  if (c.affine) {
    weight.detach().copy_(in.weight);
    bias.detach().copy_(in.bias);
  }
  std::vector<at::Tensor> views = x.split(c.x[0] / c.views);
  for (at::Tensor& view : views) {
    view = is_image ? images->forward(view) : features->forward(view);
  }
  at::Tensor y = at::cat(views);
  if (c.residual) y = y + residual;
  at::Tensor dy = in.dy.to(c10::kDouble);
  if (c.relu) dy = dy * ours.gt(0);
  torch::autograd::backward({y}, {dy});
  if (c.relu) y = y.relu();
  return {y.detach(),
          x.grad(),
          residual.grad(),
          c.affine ? weight.grad() : at::Tensor(),
          c.affine ? bias.grad() : at::Tensor(),
          is_image ? images->running_mean : features->running_mean,
          is_image ? images->running_var : features->running_var};
}

// What computes it, and the kernels of `cuda` in its place, on the host.
using NormalizeBy = at::Tensor (*)(const at::Tensor&, const FusedBatchNorm&);

template <typename T>
constexpr BatchNormKernel<T> EmulatedKernel() {
  return {&cuda::internal::EmulatedBatchNorm<T>,
          &cuda::internal::EmulatedBatchNorm<T>};
}

at::Tensor NormalizeEmulated(const at::Tensor& x,
                             const FusedBatchNorm& options) {
  static constexpr BatchNormKernels kKernels = {EmulatedKernel<float>(),
                                                EmulatedKernel<Half>(),
                                                EmulatedKernel<BFloat16>()};
  EXPECT_TRUE(KernelsTake(x, options));
  return NormalizeBatchBy(kKernels, x, options);
}

Result Got(const Case& c, const Inputs& in,
           NormalizeBy normalize = &NormalizeBatch,
           c10::ScalarType type = c10::kFloat) {
  const at::Tensor x = Leaf(in.x, type);
  FusedBatchNorm options;
  if (c.affine) {
    options.weight = Leaf(in.weight, c10::kFloat);
    options.bias = Leaf(in.bias, c10::kFloat);
  }
  options.running_mean = at::zeros_like(in.weight);
  options.running_var = at::ones_like(in.weight);
  options.momentum = 0.3;
  options.views = c.views;
  if (c.residual) options.residual = Leaf(in.residual, type);
  options.relu = c.relu;
  const at::Tensor y = normalize(x, options);
  torch::autograd::backward({y}, {in.dy.to(type)});
  return {y.detach(),
          x.grad(),
          c.residual ? options.residual.grad() : at::Tensor(),
          c.affine ? options.weight.grad() : at::Tensor(),
          c.affine ? options.bias.grad() : at::Tensor(),
          options.running_mean,
          options.running_var};
}

// A block's sums run over at most a thousand values one after the other, each
// addition with an error of 6e-8; x itself is near 10, of which its spread is a
// twentieth.
void ExpectClose(const at::Tensor& got, const at::Tensor& want,
                 const char* what, double tolerance = 5e-5) {
  ASSERT_EQ(got.defined(), want.defined()) << what;
  if (!want.defined()) return;
  ASSERT_EQ(got.sizes(), want.sizes()) << what;
  const double largest = want.abs().max().item<double>();
  EXPECT_LE(got.sub(want).abs().max().item<double>(), tolerance * largest)
      << what;
}

void ExpectAllClose(const Result& got, const Result& want, double rounding) {
  ExpectClose(got.y, want.y, "y", 5e-5 + rounding);
  ExpectClose(got.dx, want.dx, "dx", 5e-5 + rounding);
  ExpectClose(got.dresidual, want.dresidual, "dresidual", rounding);
  ExpectClose(got.dweight, want.dweight, "dweight");
  ExpectClose(got.dbias, want.dbias, "dbias");
  ExpectClose(got.running_mean, want.running_mean, "running_mean");
  ExpectClose(got.running_var, want.running_var, "running_var");
}

TEST(FusedBatchNormTest, IsTorchsInDoublePrecision) {
  for (NormalizeBy normalize : {&NormalizeBatch, &NormalizeEmulated}) {
    for (const Case& c : kCases) {
      SCOPED_TRACE(c.name);
      const Inputs in = InputsOf(c);
      const Result got = Got(c, in, normalize);
      ExpectAllClose(got, Want(c, in, got.y), 0);
      EXPECT_EQ(got.y.strides(), in.x.strides());
    }
  }
}

// Of inputs that have 16 bits, results are rounded once.
TEST(FusedBatchNormTest, TakesHalfPrecision) {
  const struct {
    NormalizeBy normalize;
    c10::ScalarType type;
    double rounding;
  } kTypes[] = {{&NormalizeEmulated, c10::kHalf, 0x1p-11},
                {&NormalizeEmulated, c10::kBFloat16, 0x1p-8},
                {&NormalizeBatch, c10::kBFloat16, 0x1p-8}};
  for (const auto& [normalize, type, rounding] : kTypes) {
    for (const Case& c : kCases) {
      SCOPED_TRACE(c.name);
      Inputs in = InputsOf(c);
      for (at::Tensor* t : {&in.x, &in.residual, &in.dy}) {
        *t = t->to(type).to(c10::kFloat);
      }
      const Result got = Got(c, in, normalize, type);
      EXPECT_EQ(got.y.scalar_type(), type);
      ExpectAllClose(got, Want(c, in, got.y), rounding);
    }
  }
}

TEST(FusedBatchNormTest, KernelsLeaveTheRest) {
  const at::Tensor x = at::zeros({4, 8}, c10::kBFloat16);
  FusedBatchNorm options;
  options.running_mean = at::zeros({8});
  options.running_var = at::ones({8});
  EXPECT_TRUE(KernelsTake(x, options));
  EXPECT_FALSE(KernelsTake(x.to(c10::kDouble), options));
  EXPECT_FALSE(KernelsTake(x.t().contiguous().t(), options));
  FusedBatchNorm other = options;
  other.residual = at::zeros({4, 8});  // of another type
  EXPECT_FALSE(KernelsTake(x, other));
  other = options;
  other.running_mean = at::zeros({12});
  other.running_var = at::ones({12});
  // 24 bytes.
  EXPECT_FALSE(KernelsTake(at::zeros({4, 12}, c10::kBFloat16), other));
  EXPECT_TRUE(KernelsTake(at::zeros({4, 12}), other));
  other = options;
  other.views = 4;  // of a row each
  EXPECT_FALSE(KernelsTake(x, other));
}

// Without a way back nothing is kept for it.
TEST(FusedBatchNormTest, KernelsRunWithoutGradients) {
  const Case& c = kCases[6];
  const Inputs in = InputsOf(c);
  const Result want = Got(c, in, &NormalizeEmulated);
  FusedBatchNorm options;
  options.weight = in.weight;
  options.bias = in.bias;
  options.running_mean = at::zeros_like(in.weight);
  options.running_var = at::ones_like(in.weight);
  options.views = c.views;
  options.residual = in.residual;
  options.relu = true;
  options.batches = at::zeros({}, c10::kLong);
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(NormalizeEmulated(in.x, options).equal(want.y));
  EXPECT_EQ(options.batches.item<int64_t>(), c.views);
}

TEST(FusedBatchNormTest, ThreadsChangeNothing) {
  const int before = at::get_num_threads();
  const Case& c = kCases[std::size(kCases) - 1];
  at::set_num_threads(1);
  const Result one = Got(c, InputsOf(c));
  at::set_num_threads(3);
  const Result three = Got(c, InputsOf(c));
  at::set_num_threads(before);
  EXPECT_TRUE(one.y.equal(three.y));
  EXPECT_TRUE(one.dx.equal(three.dx));
  EXPECT_TRUE(one.dweight.equal(three.dweight));
  EXPECT_TRUE(one.running_var.equal(three.running_var));
}

TEST(FusedBatchNormTest, NanIsNotHidden) {
  Case c{"", {2, 8, 3, 5}, 1, true, false, true};
  Inputs in = InputsOf(c);
  in.x[0][3][1][1] = std::numeric_limits<float>::quiet_NaN();
  for (c10::ScalarType type : {c10::kFloat, c10::kBFloat16}) {
    const at::Tensor y = Got(c, in, &NormalizeBatch, type).y;
    EXPECT_TRUE(y.select(1, 3).isnan().all().item<bool>());
    EXPECT_FALSE(y.select(1, 2).isnan().any().item<bool>());
  }
}

// The modules: one scope, all that follows, and the count of batches.
TEST(FusedBatchNormTest, ModulesUseIt) {
  const Case c{"", {4, 16, 3, 5}, 2, true, true, true};
  const Inputs in = InputsOf(c);
  BatchNorm2d norm(torch::nn::BatchNormOptions(16).momentum(0.3));
  norm->weight.detach().copy_(in.weight);
  norm->bias.detach().copy_(in.bias);
  const BatchOfViews scope(*norm, 2);
  EXPECT_TRUE(norm->ForwardRelu(in.x, in.residual).equal(Got(c, in).y));
  EXPECT_TRUE(norm->running_var.equal(Got(c, in).running_var));
  EXPECT_EQ(norm->num_batches_tracked.item<int64_t>(), 2);
}

// Where it cannot be used the modules do the same by torch's operators.
TEST(FusedBatchNormTest, ModulesDoWithoutIt) {
  struct Other {
    const char* what;
    std::vector<int64_t> x;
    c10::ScalarType type = c10::kFloat;
    at::MemoryFormat layout = at::MemoryFormat::ChannelsLast;
    bool training = true;
  };
  for (const Other& other : {
           Other{"double", {4, 16, 3, 5}, c10::kDouble},
           Other{"channels", {4, 3, 3, 5}},
           Other{"layout",
                 {4, 16, 3, 5},
                 c10::kFloat,
                 at::MemoryFormat::Contiguous},
           Other{"evaluation",
                 {4, 16, 3, 5},
                 c10::kFloat,
                 at::MemoryFormat::ChannelsLast,
                 false},
       }) {
    SCOPED_TRACE(other.what);
    BatchNorm2d ours(other.x[1]);
    torch::nn::BatchNorm2d theirs(other.x[1]);
    for (torch::nn::Module* norm :
         std::initializer_list<torch::nn::Module*>{ours.get(), theirs.get()}) {
      norm->to(other.type);
      norm->train(other.training);
    }
    const at::Tensor x =
        Uniform("x", other.x).to(other.type).contiguous(other.layout);
    const at::Tensor residual = Uniform("r", other.x).to(other.type);
    EXPECT_TRUE(ours->forward(x).equal(theirs->forward(x)));
    EXPECT_TRUE(ours->ForwardRelu(x).equal(theirs->forward(x).relu()));
    EXPECT_TRUE(ours->ForwardRelu(x, residual)
                    .equal((theirs->forward(x) + residual).relu()));
    EXPECT_TRUE(ours->running_var.equal(theirs->running_var));
  }
}

// In evaluation mode it is one line a channel, and torch's.
TEST(EvaluateBatchNormTest, IsTorchsInDoublePrecision) {
  const at::NoGradGuard no_grad;
  for (const auto& [type, rounding] :
       {std::pair(c10::kFloat, 0x1p-21), std::pair(c10::kBFloat16, 0x1p-8)}) {
    for (const Case& c : kCases) {
      SCOPED_TRACE(c.name);
      Inputs in = InputsOf(c);
      for (at::Tensor* t : {&in.x, &in.residual}) *t = t->to(type);
      const int64_t channels = c.x[1];
      FusedBatchNorm options;
      if (c.affine) {
        options.weight = in.weight;
        options.bias = in.bias;
      }
      options.running_mean = (Uniform("mean", {channels}) + 9).to(c10::kFloat);
      options.running_var = (Uniform("var", {channels}) + 0.1).to(c10::kFloat);
      if (c.residual) options.residual = in.residual;
      options.relu = c.relu;
      const at::Tensor mean = options.running_mean.clone();
      const at::Tensor var = options.running_var.clone();

      const auto exact = [](const at::Tensor& tensor) {
        return tensor.defined() ? tensor.to(c10::kDouble) : tensor;
      };
      at::Tensor want = torch::nn::functional::batch_norm(
          exact(in.x), exact(mean), exact(var),
          torch::nn::functional::BatchNormFuncOptions()
              .weight(exact(options.weight))
              .bias(exact(options.bias)));
      if (c.residual) want += exact(in.residual);
      if (c.relu) want.relu_();
      ASSERT_TRUE(CanEvaluate(in.x, options));
      const at::Tensor got = EvaluateBatchNorm(in.x, options);
      EXPECT_EQ(got.scalar_type(), type);
      EXPECT_EQ(got.strides(), in.x.strides());
      // x and the mean are near 10, their difference is not.
      ExpectClose(got, want, "y", 20 * rounding);
      EXPECT_TRUE(options.running_mean.equal(mean));
      EXPECT_TRUE(options.running_var.equal(var));
    }
  }
}

// The modules give away what nobody else holds, and nothing else.
TEST(EvaluateBatchNormTest, WritesOverWhatNobodyElseHolds) {
  const at::NoGradGuard no_grad;
  BatchNorm2d norm(8);
  norm->eval();
  norm->running_mean.fill_(0.5);
  const auto make = [] {
    return Uniform("x", {4, 8, 3, 5})
        .to(c10::kFloat)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::Tensor kept = make();
  const at::Tensor want = norm->ForwardRelu(kept);
  EXPECT_TRUE(kept.equal(make()));
  EXPECT_TRUE(want.equal(norm->forward(kept).relu()));
  // A part of it, whose memory is kept's.
  norm->ForwardRelu(kept.narrow(0, 1, 2));
  EXPECT_TRUE(kept.equal(make()));
  at::Tensor given = make();
  const void* const memory = given.const_data_ptr();
  const at::Tensor got = norm->ForwardRelu(std::move(given));
  EXPECT_EQ(got.const_data_ptr(), memory);
  EXPECT_TRUE(got.equal(want));
}

TEST(EvaluateBatchNormTest, LeavesWhatNeedsGradients) {
  BatchNorm2d norm(8);
  norm->eval();
  const at::Tensor x = Leaf(Uniform("x", {4, 8, 3, 5}), c10::kFloat);
  norm->ForwardRelu(x.contiguous(at::MemoryFormat::ChannelsLast))
      .sum()
      .backward();
  EXPECT_TRUE(x.grad().gt(0).any().item<bool>());
}

}  // namespace
}  // namespace gsg
