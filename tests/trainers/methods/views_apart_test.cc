// A step whose threads compute views of their own, beside the same step on one
// thread.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/record_function.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backbone_options.h"
#include "tests/models/formula_tensors.h"
#include "trainers/methods/method.h"
#include "trainers/methods/siamese_method.h"
#include "trainers/methods/target_network.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

constexpr int64_t kImages = 32;

// Counts the threads on which forward passes were while it lives.
class ForwardThreads {
 public:
  ForwardThreads() {
    threads().clear();
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(&Note).scopes({at::RecordScope::FUNCTION}));
  }
  ~ForwardThreads() { at::removeCallback(handle_); }
  ForwardThreads(const ForwardThreads&) = delete;
  ForwardThreads& operator=(const ForwardThreads&) = delete;

  static size_t count() { return threads().size(); }

 private:
  static std::set<std::thread::id>& threads() {
    static auto& threads = *new std::set<std::thread::id>;
    return threads;
  }
  static std::unique_ptr<at::ObserverContext> Note(
      const at::RecordFunction& function) {
    static auto& mutex = *new std::mutex;
    if (absl::string_view(function.name()) == "aten::conv2d") {
      const std::lock_guard<std::mutex> lock(mutex);
      threads().insert(std::this_thread::get_id());
    }
    return nullptr;
  }

  at::CallbackHandle handle_;
};

struct Case {
  std::string name;
  bool target = false;
  int64_t views = 2;
  int64_t local = 0;
  bool frozen = false;
  // Of the network: with a multiple of 8 channels BatchNorm is our own.
  int64_t width = 8;
  c10::ScalarType type = c10::kDouble;
  int64_t images = kImages;
};

at::Tensor Views(absl::string_view name, const Case& c, int64_t count,
                 int64_t side) {
  return (4 * Uniform(absl::StrCat(c.name, " ", name),
                      {count * c.images, 3, side, side}) -
          2)
      .to(c.type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

std::unique_ptr<Method> Make(const Case& c) {
  ResNetOptions backbone;
  backbone.blocks = {1, 1};
  backbone.widths = {c.width, c.width};
  backbone.strides = {1, 2};
  backbone.stem = ResNetOptions::Stem::kSmall;
  SiameseMethodOptions options;
  options.network.backbone = backbone;
  options.network.projector = {2, c.width, c.width};
  options.network.predictor_hidden = 4;
  if (c.target) options.target = TargetOptions{};
  std::unique_ptr<Method> method =
      MakeSiameseMethod(options, c10::Device(c10::kCPU)).value();
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : method->State()) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(c.type));
    Fill(name, tensor);
  }
  method->SetTraining(true);
  EXPECT_TRUE(method->FreezeBackbone(c.frozen).ok());
  return method;
}

// After two steps.
struct Outcome {
  size_t threads = 0;
  std::vector<double> losses;
  std::map<std::string, at::Tensor> tensors;
};

Outcome Train(const Case& c, int threads) {
  at::set_num_threads(threads);
  const std::unique_ptr<Method> method = Make(c);
  Sgd sgd(method->ParameterGroups(), /*momentum=*/0.9);
  Outcome outcome;
  const ForwardThreads counted;
  for (int step = 0; step < 2; ++step) {
    StepInput input;
    input.views.global = {Views(absl::StrCat("global ", step), c, c.views, 6),
                          c.views};
    if (c.local > 0) {
      input.views.local = {Views(absl::StrCat("local ", step), c, c.local, 4),
                           c.local};
    }
    for (int64_t i = 0; i < c.images; ++i) {
      input.pairing.push_back((i + 1) % c.images);
    }
    input.loss.selection = Selection::kMin;
    const absl::StatusOr<StepResult> result = method->Backward(input);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return outcome;
    }
    outcome.losses.push_back(result->loss);
    sgd.Step(/*lr=*/0.03, /*peak_lr=*/0.03);
    sgd.ZeroGrad();
  }
  outcome.threads = ForwardThreads::count();
  for (const auto& [name, tensor] : method->State()) {
    outcome.tensors[name] = tensor.detach().clone();
  }
  return outcome;
}

// The largest difference of a loss or a value.
double Distance(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.tensors.size(), b.tensors.size());
  double distance = 0;
  for (size_t step = 0; step < a.losses.size(); ++step) {
    distance = std::max(distance, std::abs(a.losses[step] - b.losses[step]));
  }
  for (const auto& [name, tensor] : a.tensors) {
    const at::Tensor gap = (tensor - b.tensors.at(name)).to(c10::kDouble).abs();
    distance = std::max(distance, gap.max().item<double>());
  }
  return distance;
}

std::vector<Case> Cases() {
  std::vector<Case> cases(6);
  cases[0] = {"SimSiam"};
  cases[1] = {"BYOL", /*target=*/true};
  cases[2] = {"four views", false, /*views=*/4};
  cases[3] = {"local views", true, 2, /*local=*/2};
  cases[4] = {"frozen", false, 2, 0, /*frozen=*/true};
  cases[5] = {"torch's BatchNorm", false, 2, 0, false, /*width=*/12};
  return cases;
}

// Parameters, momentum encoders, running statistics, how many batches there
// were, and losses.
TEST(ViewsApartTest, IsTheStepOfOneBatch) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const Outcome together = Train(c, 1), apart = Train(c, 2);
    EXPECT_EQ(together.threads, 1u);
    EXPECT_EQ(apart.threads, 2u);
    EXPECT_LT(Distance(together, apart), 1e-11);
  }
}

// In float32 convolutions, BatchNorm and small products are our own.
TEST(ViewsApartTest, InFloatToRounding) {
  for (Case c : Cases()) {
    SCOPED_TRACE(c.name);
    c.type = c10::kFloat;
    EXPECT_LT(Distance(Train(c, 1), Train(c, 2)), 1e-3);
  }
}

TEST(ViewsApartTest, HasTheSameDigitsEachTime) {
  for (Case c : Cases()) {
    SCOPED_TRACE(c.name);
    c.type = c10::kFloat;
    const Outcome first = Train(c, 2), second = Train(c, 2);
    EXPECT_EQ(first.losses, second.losses);
    for (const auto& [name, tensor] : first.tensors) {
      EXPECT_TRUE(at::equal(tensor, second.tensors.at(name))) << name;
    }
  }
}

// With fewer images the threads share each layer, as with threads that the
// views cannot be shared out to evenly.
TEST(ViewsApartTest, NotOfFewImagesOrForOtherNumbersOfThreads) {
  Case few = {"few images"};
  few.images = kImages - 1;
  EXPECT_EQ(Train(few, 2).threads, 1u);
  EXPECT_EQ(Train({"SimSiam"}, 3).threads, 1u);
}

TEST(ViewsApartTest, ABadViewChangesNothing) {
  at::set_num_threads(2);
  const Case c = {"bad"};
  const std::unique_ptr<Method> method = Make(c);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : method->State()) {
    before[name] = tensor.detach().clone();
  }
  StepInput input;
  input.views.global = {Views("global", c, 2, 6), 2};
  input.views.global.pixels[kImages].fill_(NAN);  // of the second view
  for (int64_t i = 0; i < kImages; ++i) {
    input.pairing.push_back((i + 1) % kImages);
  }
  EXPECT_EQ(method->Backward(input).status().code(),
            absl::StatusCode::kInvalidArgument);
  // Running statistics follow the batch, as ever.
  for (const auto& [name, tensor] : method->State()) {
    EXPECT_FALSE(tensor.grad().defined()) << name;
    if (!tensor.requires_grad()) continue;
    EXPECT_TRUE(at::equal(tensor, before[name])) << name;
  }
}

}  // namespace
}  // namespace gsg
