#include "models/batch_norm.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/batchnorm.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "models/batch_statistics.h"
#include "tests/models/formula_tensors.h"

namespace gsg {
namespace {

constexpr int kParts = 3;

// Parts that are threads.
class Meeting {
 public:
  at::Tensor Gather(int part, const at::Tensor& mine) {
    absl::MutexLock lock(&mutex_);
    const int round = round_;
    tensors_[part] = mine.clone();
    if (++here_ == kParts) {
      all_ = at::stack(tensors_);
      here_ = 0;
      ++round_;
    } else {
      const auto over = [this, round]() { return round_ != round; };
      mutex_.Await(absl::Condition(&over));
    }
    return all_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<at::Tensor> tensors_{kParts};
  at::Tensor all_;
  int here_ = 0;
  int round_ = 0;
};

class Part final : public BatchParts {
 public:
  Part(Meeting* meeting, int number) : meeting_(*meeting), number_(number) {}
  at::Tensor Gather(const at::Tensor& mine) override {
    return meeting_.Gather(number_, mine);
  }

 private:
  Meeting& meeting_;
  const int number_;
};

struct Shape {
  const char* name;
  std::vector<int64_t> sizes;  // of a part
  bool affine;
  bool channels_last;
  c10::ScalarType type = c10::kDouble;  // of x
};

// [parts * n, ...]: values far from zero, which differ from part to part.
at::Tensor Values(const std::string& name, const Shape& shape) {
  std::vector<at::Tensor> parts;
  for (int part = 0; part < kParts; ++part) {
    parts.push_back(
        Uniform(absl::StrCat(name, part), shape.sizes).mul(part + 1).add(5));
  }
  const at::Tensor all = at::cat(parts).to(shape.type).to(at::kDouble);
  return shape.channels_last ? all.contiguous(at::MemoryFormat::ChannelsLast)
                             : all;
}

at::Tensor PartOf(const at::Tensor& all, int part) {
  const int64_t n = all.size(0) / kParts;
  return all.narrow(0, part * n, n);
}

// What a BatchNorm does with two batches, one step after the other.
struct Outcome {
  std::vector<at::Tensor> y, dx;  // of each batch
  at::Tensor dweight, dbias;      // summed over both
  at::Tensor running_mean, running_var, batches;
};

template <class Norm>
Outcome TwoSteps(Norm& norm, const Shape& shape,
                 const std::function<at::Tensor(const at::Tensor&)>& mine) {
  Outcome outcome;
  for (const char* step : {"first", "second"}) {
    const at::Tensor x = mine(Values(absl::StrCat("x ", step), shape))
                             .detach()
                             .set_requires_grad(true);
    const at::Tensor y = norm->forward(x);
    torch::autograd::backward({y}, {mine(Values(step, shape))});
    outcome.y.push_back(y.detach());
    outcome.dx.push_back(x.grad());
  }
  if (shape.affine) {
    outcome.dweight = norm->weight.grad();
    outcome.dbias = norm->bias.grad();
  }
  outcome.running_mean = norm->running_mean;
  outcome.running_var = norm->running_var;
  outcome.batches = norm->num_batches_tracked;
  return outcome;
}

template <class Norm>
Norm Make(const Shape& shape) {
  const int64_t channels = shape.sizes[1];
  Norm norm(torch::nn::BatchNormOptions(channels).affine(shape.affine));
  norm->to(at::kDouble);
  if (shape.affine) {
    const at::NoGradGuard no_grad;
    norm->weight.copy_(Uniform("weight", {channels}));
    norm->bias.copy_(Uniform("bias", {channels}));
  }
  return norm;
}

void ExpectClose(const at::Tensor& got, const at::Tensor& want,
                 const std::string& what, double tolerance = 1e-10) {
  ASSERT_EQ(got.sizes(), want.sizes()) << what;
  const double size = std::max(1.0, want.abs().max().item<double>());
  EXPECT_LT(got.sub(want).abs().max().item<double>(), tolerance * size) << what;
}

// In double precision the parts differ from torch's operator on the whole batch
// in the order of additions alone: some hundred roundings of 1e-16, on values
// of about 10.
template <class TorchNorm, class Norm>
void ExpectTorchs(const Shape& shape) {
  TorchNorm whole = Make<TorchNorm>(shape);
  const Outcome want =
      TwoSteps(whole, shape, [](const at::Tensor& all) { return all; });

  Meeting meeting;
  std::vector<Outcome> got(kParts);
  std::vector<std::thread> threads;
  for (int part = 0; part < kParts; ++part) {
    threads.emplace_back([&, part] {
      Part parts(&meeting, part);
      Norm norm = Make<Norm>(shape);
      SynchronizeBatchNorm(*norm, &parts);
      got[part] = TwoSteps(norm, shape, [part](const at::Tensor& all) {
        return PartOf(all, part);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (int part = 0; part < kParts; ++part) {
    for (int step = 0; step < 2; ++step) {
      ExpectClose(got[part].y[step], PartOf(want.y[step], part), "y");
      ExpectClose(got[part].dx[step], PartOf(want.dx[step], part), "dx");
    }
    ExpectClose(got[part].running_mean, want.running_mean, "running_mean");
    ExpectClose(got[part].running_var, want.running_var, "running_var");
    EXPECT_TRUE(got[part].batches.equal(want.batches));
  }
  if (!shape.affine) return;
  ExpectClose(got[0].dweight + got[1].dweight + got[2].dweight, want.dweight,
              "dweight");
  ExpectClose(got[0].dbias + got[1].dbias + got[2].dbias, want.dbias, "dbias");
}

TEST(BatchNormTest, PartsTogetherAreTorchsWholeBatch) {
  for (const Shape& shape : {Shape{"features", {4, 5}, true, false},
                             Shape{"no affine", {4, 5}, false, false}}) {
    SCOPED_TRACE(shape.name);
    ExpectTorchs<torch::nn::BatchNorm1d, BatchNorm1d>(shape);
  }
  for (const Shape& shape : {Shape{"images", {2, 3, 4, 5}, true, false},
                             Shape{"channels last", {2, 3, 4, 5}, true, true},
                             Shape{"no affine", {2, 3, 4, 5}, false, true}}) {
    SCOPED_TRACE(shape.name);
    ExpectTorchs<torch::nn::BatchNorm2d, BatchNorm2d>(shape);
  }
}

// A part that alone would have no variance.
TEST(BatchNormTest, OneImageAPart) {
  ExpectTorchs<torch::nn::BatchNorm1d, BatchNorm1d>(
      {"one", {1, 5}, true, false});
}

// One pass with all views, and as many of torch's as there are views, one after
// the other: exactly the same operations.
template <class TorchNorm, class Norm>
void ExpectViewAfterView(const Shape& shape, int64_t views) {
  TorchNorm theirs = Make<TorchNorm>(shape);
  Norm ours = Make<Norm>(shape);
  at::Tensor all = Values("x", shape);
  all = all.set_requires_grad(true);
  const at::Tensor dy = Values("dy", shape);
  const int64_t n = all.size(0) / views;
  at::Tensor y;
  {
    const BatchOfViews scope(*ours, views);
    y = ours->forward(all);
  }
  torch::autograd::backward({y}, {dy});
  EXPECT_EQ(y.suggest_memory_format(), all.suggest_memory_format());
  for (int64_t v = 0; v < views; ++v) {
    SCOPED_TRACE(v);
    const at::Tensor view =
        all.detach().narrow(0, v * n, n).set_requires_grad(true);
    const at::Tensor want = theirs->forward(view);
    torch::autograd::backward({want}, {dy.narrow(0, v * n, n)});
    ExpectClose(y.detach().narrow(0, v * n, n), want.detach(), "y");
    ExpectClose(all.grad().narrow(0, v * n, n), view.grad(), "dx");
  }
  ExpectClose(ours->running_mean, theirs->running_mean, "running_mean");
  ExpectClose(ours->running_var, theirs->running_var, "running_var");
  EXPECT_TRUE(ours->num_batches_tracked.equal(theirs->num_batches_tracked));
  if (shape.affine) {
    ExpectClose(ours->weight.grad(), theirs->weight.grad(), "dweight");
    ExpectClose(ours->bias.grad(), theirs->bias.grad(), "dbias");
  }
  // Behind the scope it is one batch again.
  ExpectClose(ours->forward(all).detach(),
              theirs->forward(all.detach()).detach(), "y behind the scope");
}

TEST(BatchNormTest, ViewsInOneBatchAreViewsOneAfterTheOther) {
  for (const Shape& shape : {Shape{"features", {4, 5}, true, false},
                             Shape{"no affine", {4, 5}, false, false}}) {
    SCOPED_TRACE(shape.name);
    ExpectViewAfterView<torch::nn::BatchNorm1d, BatchNorm1d>(shape, 2);
  }
  for (const Shape& shape : {Shape{"images", {2, 3, 4, 5}, true, false},
                             Shape{"channels last", {2, 3, 4, 5}, true, true},
                             Shape{"no affine", {2, 3, 4, 5}, false, true}}) {
    SCOPED_TRACE(shape.name);
    ExpectViewAfterView<torch::nn::BatchNorm2d, BatchNorm2d>(shape, 3);
  }
}

// Both at once: each part has its share of every view, one view behind the
// other, and torch in double precision the whole views, one after the other. As
// with parts alone they differ in the order of additions; if x is not of double
// precision, by rounding of float32, or of bfloat16 in y and dx.
template <class TorchNorm, class Norm>
void ExpectViewsOfParts(const Shape& shape, int views) {
  const c10::ScalarType type = shape.type;
  const bool exact = type == c10::kDouble;
  const double of_sums = exact ? 1e-10 : 1e-4;
  const double of_values = type == c10::kBFloat16 ? std::exp2(-8) : of_sums;
  const auto view_of = [&](const char* name, int view) {
    return Values(absl::StrCat(name, view), shape)
        .mul(view + 1)
        .to(type)
        .to(c10::kDouble);
  };
  TorchNorm theirs = Make<TorchNorm>(shape);
  std::vector<at::Tensor> y, dx;
  for (int v = 0; v < views; ++v) {
    const at::Tensor x = view_of("x", v).set_requires_grad(true);
    y.push_back(theirs->forward(x));
    torch::autograd::backward({y.back()}, {view_of("dy", v)});
    dx.push_back(x.grad());
  }

  Meeting meeting;
  std::vector<at::Tensor> my_x(kParts), my_y(kParts);
  std::vector<Norm> norms;
  for (int part = 0; part < kParts; ++part) {
    norms.push_back(Make<Norm>(shape));
    norms[part]->to(exact ? c10::kDouble : c10::kFloat);
  }
  std::vector<std::thread> threads;
  for (int part = 0; part < kParts; ++part) {
    threads.emplace_back([&, part] {
      Part parts(&meeting, part);
      SynchronizeBatchNorm(*norms[part], &parts);
      const BatchOfViews scope(*norms[part], views);
      std::vector<at::Tensor> x, dy;
      for (int v = 0; v < views; ++v) {
        x.push_back(PartOf(view_of("x", v), part));
        dy.push_back(PartOf(view_of("dy", v), part));
      }
      my_x[part] = at::cat(x).to(type).set_requires_grad(true);
      my_y[part] = norms[part]->forward(my_x[part]);
      torch::autograd::backward({my_y[part]}, {at::cat(dy).to(type)});
    });
  }
  for (std::thread& thread : threads) thread.join();

  const int64_t n = shape.sizes[0];
  at::Tensor dweight, dbias;
  for (int part = 0; part < kParts; ++part) {
    SCOPED_TRACE(absl::StrCat("part ", part));
    for (int v = 0; v < views; ++v) {
      SCOPED_TRACE(absl::StrCat("view ", v));
      ExpectClose(my_y[part].detach().narrow(0, v * n, n),
                  PartOf(y[v].detach(), part), "y", of_values);
      ExpectClose(my_x[part].grad().narrow(0, v * n, n), PartOf(dx[v], part),
                  "dx", of_values);
    }
    Norm& norm = norms[part];
    ExpectClose(norm->running_mean, theirs->running_mean, "running_mean",
                of_sums);
    ExpectClose(norm->running_var, theirs->running_var, "running_var", of_sums);
    EXPECT_EQ(my_y[part].scalar_type(), type);
    EXPECT_TRUE(norm->num_batches_tracked.equal(theirs->num_batches_tracked));
    if (!shape.affine) continue;
    dweight = part == 0 ? norm->weight.grad() : dweight + norm->weight.grad();
    dbias = part == 0 ? norm->bias.grad() : dbias + norm->bias.grad();
  }
  if (!shape.affine) return;
  ExpectClose(dweight, theirs->weight.grad(), "dweight", of_sums);
  ExpectClose(dbias, theirs->bias.grad(), "dbias", of_sums);
}

TEST(BatchNormTest, ViewsOfPartsAreWholeViewsOneAfterTheOther) {
  for (const Shape& shape : {Shape{"features", {4, 5}, true, false},
                             Shape{"one row a view", {1, 5}, true, false},
                             Shape{"no affine", {4, 5}, false, false}}) {
    SCOPED_TRACE(shape.name);
    ExpectViewsOfParts<torch::nn::BatchNorm1d, BatchNorm1d>(shape, 2);
  }
  for (const Shape& shape : {Shape{"images", {2, 3, 4, 5}, true, false},
                             Shape{"channels last", {2, 3, 4, 5}, true, true},
                             Shape{"no affine", {2, 3, 4, 5}, false, true}}) {
    SCOPED_TRACE(shape.name);
    ExpectViewsOfParts<torch::nn::BatchNorm2d, BatchNorm2d>(shape, 4);
  }
}

// With 8 channels by fused_batch_norm.h, with 5 by torch's operators.
TEST(BatchNormTest, ViewsOfPartsInOtherPrecisions) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kBFloat16}) {
    for (const int64_t channels : {8, 5}) {
      SCOPED_TRACE(absl::StrCat(c10::toString(type), ", ", channels));
      ExpectViewsOfParts<torch::nn::BatchNorm1d, BatchNorm1d>(
          {"features", {40, channels}, true, false, type}, 2);
      ExpectViewsOfParts<torch::nn::BatchNorm1d, BatchNorm1d>(
          {"no affine", {40, channels}, false, false, type}, 2);
      ExpectViewsOfParts<torch::nn::BatchNorm2d, BatchNorm2d>(
          {"images", {4, channels, 4, 5}, true, true, type}, 4);
    }
  }
}

// What is counted: Gather once for all views.
class CountGathers final : public BatchParts {
 public:
  at::Tensor Gather(const at::Tensor& mine) override {
    ++count;
    return mine.unsqueeze(0);
  }
  int count = 0;
};

TEST(BatchNormTest, AllViewsAreGatheredAtOnce) {
  const Shape shape{"", {4, 8}, true, false};
  BatchNorm1d norm = Make<BatchNorm1d>(shape);
  norm->to(c10::kFloat);
  CountGathers parts;
  SynchronizeBatchNorm(*norm, &parts);
  const BatchOfViews scope(*norm, 2);
  const at::Tensor x = Values("x", shape).to(c10::kFloat).requires_grad_();
  const at::Tensor y = norm->forward(x);
  EXPECT_EQ(parts.count, 1);
  torch::autograd::backward({y}, {at::ones_like(y)});
  EXPECT_EQ(parts.count, 2);
}

TEST(BatchNormTest, ViewsOfDifferentSizesThrow) {
  const Shape shape{"", {1, 5}, true, false};  // three rows in all
  BatchNorm1d norm = Make<BatchNorm1d>(shape);
  const BatchOfViews scope(*norm, 2);
  try {
    norm->forward(Values("x", shape));
    FAIL() << "three rows are not two views";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "a batch of 2 views has a multiple of so many rows; got "
                 "[3, 5]");
  }
}

TEST(BatchNormTest, ViewsAreForTrainingOnly) {
  const Shape shape{"", {1, 5}, true, false};
  BatchNorm1d norm = Make<BatchNorm1d>(shape);
  norm->eval();
  const at::Tensor x = Values("x", shape);
  const at::Tensor want = norm->forward(x);
  const BatchOfViews scope(*norm, 2);
  EXPECT_TRUE(norm->forward(x).equal(want));
}

class NeverGather final : public BatchParts {
 public:
  at::Tensor Gather(const at::Tensor&) override {
    ADD_FAILURE() << "nothing to gather";
    return {};
  }
};

TEST(BatchNormTest, EvaluationIsAPartsOwn) {
  const Shape shape{"", {4, 5}, true, false};
  BatchNorm1d norm = Make<BatchNorm1d>(shape);
  NeverGather parts;
  SynchronizeBatchNorm(*norm, &parts);
  norm->eval();
  const at::Tensor x = Values("x", shape);
  // With running statistics 0 and 1.
  const at::Tensor want =
      x / std::sqrt(1 + norm->options.eps()) * norm->weight + norm->bias;
  ExpectClose(norm->forward(x).detach(), want.detach(), "y");
}

TEST(BatchNormTest, AloneItIsTorchs) {
  const Shape shape{"", {4, 5}, true, false};
  torch::nn::BatchNorm1d theirs = Make<torch::nn::BatchNorm1d>(shape);
  BatchNorm1d ours = Make<BatchNorm1d>(shape);
  const at::Tensor x = Values("x", shape);
  EXPECT_TRUE(ours->forward(x).equal(theirs->forward(x)));
  EXPECT_TRUE(ours->running_var.equal(theirs->running_var));
}

}  // namespace
}  // namespace gsg
