// Training through the CPU's own convolutions and BatchNorm, which the goldens'
// networks are too narrow for, against the same steps in plain LibTorch.

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backbone_options.h"
#include "tests/models/formula_tensors.h"
#include "trainers/methods/method.h"
#include "trainers/methods/siamese_method.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

constexpr int kSteps = 10;
constexpr int64_t kImages = 6;
constexpr int64_t kSide = 6;
constexpr double kLr = 0.03;
constexpr double kMomentum = 0.9;
constexpr double kWeightDecay = 1e-2;

// Of images whose ten steps bring no ReLU's input nearer to zero than 1e-5, as
// few do (a test asserts it): else rounding alone would switch one, and with it
// a gradient.
constexpr int kSalts[] = {40, 68, 119};

at::Tensor View(int salt, int step, int view, c10::ScalarType type) {
  const std::string name =
      absl::StrCat("salt ", salt, " step ", step, " view ", view);
  return (4 * Uniform(name, {kImages, 3, kSide, kSide}) - 2).to(type);
}

// Two stages of one block: three of its convolutions are 3x3 of stride 1 with
// 32 channels.
std::unique_ptr<Method> MakeFilled(c10::ScalarType type) {
  ResNetOptions backbone;
  backbone.blocks = {1, 1};
  backbone.widths = {32, 32};
  backbone.strides = {1, 2};
  backbone.stem = ResNetOptions::Stem::kSmall;
  SiameseMethodOptions options;
  options.network.backbone = backbone;
  options.network.projector = {2, 32, 32};
  options.network.predictor_hidden = 16;
  options.weight_decay = kWeightDecay;
  std::unique_ptr<Method> method =
      MakeSiameseMethod(options, c10::Device(c10::kCPU)).value();
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : method->State()) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(type));
    Fill(name, tensor);
  }
  method->SetTraining(true);
  return method;
}

// What ten steps came to.
struct Outcome {
  std::vector<double> losses;
  std::map<std::string, at::Tensor> tensors;  // float64
};

// The largest difference of a loss or a value.
double Distance(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.tensors.size(), b.tensors.size());
  double distance = 0;
  for (int step = 0; step < kSteps; ++step) {
    distance = std::max(distance, std::abs(a.losses[step] - b.losses[step]));
  }
  for (const auto& [name, tensor] : a.tensors) {
    const at::Tensor gap = (tensor - b.tensors.at(name)).abs();
    distance = std::max(distance, gap.max().item<double>());
  }
  return distance;
}

Outcome TrainMethod(int salt, c10::ScalarType type) {
  std::unique_ptr<Method> method = MakeFilled(type);
  Sgd sgd(method->ParameterGroups(), kMomentum);
  Outcome outcome;
  for (int step = 0; step < kSteps; ++step) {
    StepInput input;
    input.views.global = {
        at::cat({View(salt, step, 0, type), View(salt, step, 1, type)}), 2};
    for (int64_t i = 0; i < kImages; ++i) {
      input.pairing.push_back((i + 1) % kImages);
    }
    input.loss.selection = Selection::kNone;
    const absl::StatusOr<StepResult> result = method->Backward(input);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return outcome;
    }
    outcome.losses.push_back(result->loss);
    sgd.Step(kLr, /*peak_lr=*/kLr);
    sgd.ZeroGrad();
  }
  for (const auto& [name, tensor] : method->State()) {
    if (!tensor.is_floating_point()) continue;  // num_batches_tracked
    outcome.tensors[name] = tensor.detach().to(c10::kDouble);
  }
  return outcome;
}

// SimSiam's network and step, written out: one view after the other, nothing
// fused, and autograd from the loss on.
class Plain {
 public:
  Plain(int salt, c10::ScalarType type) : salt_(salt), type_(type) {
    for (const auto& [name, like] : MakeFilled(type)->State()) {
      if (!like.is_floating_point()) continue;
      tensors_[name] = like.detach().clone(at::MemoryFormat::Contiguous);
      if (absl::StrContains(name, "running_")) continue;
      tensors_[name].set_requires_grad(true);
      velocity_[name] = at::zeros_like(tensors_[name]);
    }
  }

  Outcome Train() {
    Outcome outcome;
    for (int step = 0; step < kSteps; ++step) {
      std::vector<at::Tensor> z, p;
      for (int view = 0; view < 2; ++view) {
        z.push_back(Project(View(salt_, step, view, type_)));
        p.push_back(Predict(z.back()));
      }
      const at::Tensor loss =
          -(at::cosine_similarity(p[0], z[1].detach()).mean() +
            at::cosine_similarity(p[1], z[0].detach()).mean()) /
          2;
      outcome.losses.push_back(loss.item<double>());
      loss.backward();
      Step();
    }
    for (const auto& [name, tensor] : tensors_) {
      outcome.tensors[name] = tensor.detach().to(c10::kDouble);
    }
    return outcome;
  }

  // The smallest input of a ReLU so far.
  double nearest_to_zero() const { return nearest_to_zero_; }

 private:
  at::Tensor Relu(const at::Tensor& x) {
    nearest_to_zero_ =
        std::min(nearest_to_zero_, x.detach().abs().min().item<double>());
    return at::relu(x);
  }
  at::Tensor Get(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? at::Tensor() : found->second;
  }

  at::Tensor Convolve(const at::Tensor& x, const std::string& name,
                      int64_t stride, int64_t padding) const {
    return at::conv2d(x, Get(name + ".weight"), {}, stride, padding);
  }

  at::Tensor Normalize(const at::Tensor& x, const std::string& name) const {
    return at::batch_norm(x, Get(name + ".weight"), Get(name + ".bias"),
                          Get(name + ".running_mean"),
                          Get(name + ".running_var"), /*training=*/true,
                          /*momentum=*/0.1, /*eps=*/1e-5,
                          /*cudnn_enabled=*/false);
  }

  at::Tensor Block(const at::Tensor& x, const std::string& name,
                   int64_t stride) {
    at::Tensor y =
        Relu(Normalize(Convolve(x, name + ".conv1", stride, 1), name + ".bn1"));
    y = Normalize(Convolve(y, name + ".conv2", 1, 1), name + ".bn2");
    if (stride == 1) return Relu(y + x);
    return Relu(y + Normalize(Convolve(x, name + ".downsample.0", stride, 0),
                              name + ".downsample.1"));
  }

  at::Tensor Project(const at::Tensor& x) {
    at::Tensor y =
        Relu(Normalize(Convolve(x, "backbone.conv1", 1, 1), "backbone.bn1"));
    y = Block(y, "backbone.layer1.0", 1);
    y = Block(y, "backbone.layer2.0", 2).mean({2, 3});
    y = at::linear(y, Get("projector.0.weight"));
    y = Relu(Normalize(y, "projector.1"));
    return Normalize(at::linear(y, Get("projector.3.weight")), "projector.4");
  }

  at::Tensor Predict(const at::Tensor& z) {
    const at::Tensor y = Relu(
        Normalize(at::linear(z, Get("predictor.0.weight")), "predictor.1"));
    return at::linear(y, Get("predictor.3.weight"), Get("predictor.3.bias"));
  }

  void Step() {
    const at::NoGradGuard no_grad;
    for (auto& [name, velocity] : velocity_) {
      at::Tensor& tensor = tensors_.at(name);
      velocity.mul_(kMomentum).add_(tensor.grad() + kWeightDecay * tensor);
      tensor.sub_(velocity * kLr);
      tensor.mutable_grad().reset();
    }
  }

  const int salt_;
  const c10::ScalarType type_;
  double nearest_to_zero_ = std::numeric_limits<double>::infinity();
  std::map<std::string, at::Tensor> tensors_, velocity_;
};

// How many operations of a name made `result`.
int CountNodes(const at::Tensor& result, absl::string_view name) {
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> next = {result.grad_fn().get()};
  int count = 0;
  while (!next.empty()) {
    torch::autograd::Node* const node = next.back();
    next.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    count += absl::StrContains(node->name(), name);
    for (const torch::autograd::Edge& edge : node->next_edges()) {
      next.push_back(edge.function.get());
    }
  }
  return count;
}

// Else the tests below would compare LibTorch with itself.
TEST(FastPathTest, ThisNetworkTakesIt) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble}) {
    std::unique_ptr<Method> method = MakeFilled(type);
    const at::Tensor features = method->backbone().forward(
        at::cat({View(kSalts[0], 0, 0, type), View(kSalts[0], 0, 1, type)}));
    const bool fast = type == c10::kFloat;
    EXPECT_EQ(CountNodes(features, "Winograd"), fast ? 3 : 0);
    EXPECT_EQ(CountNodes(features, "Fused"), fast ? 6 : 0);
  }
}

TEST(FastPathTest, TenStepsInDoubleArePlainLibTorchs) {
  for (const int salt : kSalts) {
    Plain plain(salt, c10::kDouble);
    EXPECT_LT(Distance(TrainMethod(salt, c10::kDouble), plain.Train()), 1e-10);
    EXPECT_GT(plain.nearest_to_zero(), 1e-5) << "salt " << salt;
  }
}

// Ten steps multiply rounding errors by what only the run itself says: plain
// LibTorch's in float32, from its own float64 run. Winograd's are about ten
// times those of the plain sum (models/convolution.h); twice that is allowed.
TEST(FastPathTest, TenStepsArePlainLibTorchs) {
  for (const int salt : kSalts) {
    const Outcome exact = Plain(salt, c10::kDouble).Train();
    const double plain = Distance(Plain(salt, c10::kFloat).Train(), exact);
    const double fast = Distance(TrainMethod(salt, c10::kFloat), exact);
    EXPECT_GT(plain, 0);
    EXPECT_LT(fast, 20 * plain) << "salt " << salt;
  }
}

}  // namespace
}  // namespace gsg
