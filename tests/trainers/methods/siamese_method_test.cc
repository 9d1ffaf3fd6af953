#include "trainers/methods/siamese_method.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gsg_core/meters.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "models/backbone_options.h"
#include "models/siamese.h"
#include "tests/models/formula_tensors.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/measure.h"
#include "trainers/methods/method.h"
#include "trainers/methods/target_network.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

constexpr int kSteps = 10;
constexpr int64_t kImages = 8;

// What golden/make_goldens.py wrote of PyTorch's ten steps.
struct Golden {
  int salt = -1;
  std::vector<double> losses;
  std::vector<std::array<int64_t, 4>> pairs;
  double error = 0;
  std::map<std::string, std::vector<double>> tensors;
};

Golden ReadGolden(const std::string& name) {
  std::ifstream in(
      absl::StrCat("tests/trainers/methods/golden/", name, ".txt"));
  Golden golden;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string what, key;
    words >> what;
    if (what == "pairs") {
      std::array<int64_t, 4>& counts = golden.pairs.emplace_back();
      for (int64_t& count : counts) words >> count;
      continue;
    }
    if (what == "salt") {
      words >> golden.salt;
      continue;
    }
    if (what == "tensor") words >> key;
    std::vector<double> values;
    for (double value; words >> value;) values.push_back(value);
    if (what == "loss") golden.losses = values;
    if (what == "error") golden.error = values.at(0);
    if (what == "tensor") golden.tensors[key] = values;
  }
  EXPECT_EQ(golden.losses.size(), kSteps) << name;
  return golden;
}

// The permutation of golden/make_goldens.py.
std::vector<int64_t> Pairing(int salt, int step) {
  const at::Tensor order =
      Uniform(absl::StrCat("salt ", salt, " step ", step, " pairing"),
              {kImages})
          .argsort();
  std::vector<int64_t> pairing(kImages);
  for (int64_t i = 0; i < kImages; ++i) {
    pairing[order[i].item<int64_t>()] =
        order[(i + 1) % kImages].item<int64_t>();
  }
  return pairing;
}

StepInput Input(int salt, int step, int views, c10::ScalarType type,
                int local_views = 0) {
  StepInput input;
  std::vector<at::Tensor> global, local;
  for (int v = 0; v < views + local_views; ++v) {
    const std::string name =
        absl::StrCat("salt ", salt, " step ", step, " view ", v);
    const int64_t side = v < views ? 4 : 3;
    (v < views ? global : local)
        .push_back((4 * Uniform(name, {kImages, 3, side, side}) - 2).to(type));
  }
  input.views.global = {at::cat(global), views};
  if (local_views > 0) input.views.local = {at::cat(local), local_views};
  input.pairing = Pairing(salt, step);
  input.progress = static_cast<double>(step) / kSteps;
  return input;
}

SiameseMethodOptions Options(std::optional<TargetOptions> target) {
  ResNetOptions backbone;
  backbone.blocks = {1, 1};
  backbone.widths = {4, 4};
  backbone.strides = {1, 1};
  backbone.stem = ResNetOptions::Stem::kSmall;
  SiameseMethodOptions options;
  options.network.backbone = backbone;
  options.network.projector = {2, 8, 8};
  options.network.predictor_hidden = 4;
  options.target = target;
  options.weight_decay = 1e-2;
  options.constant_predictor_lr = true;
  return options;
}

// With the goldens' first weights.
std::unique_ptr<Method> Make(const SiameseMethodOptions& options,
                             c10::ScalarType type) {
  std::unique_ptr<Method> method =
      MakeSiameseMethod(options, c10::Device(c10::kCPU)).value();
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : method->State()) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(type));
    Fill(std::string(absl::StripPrefix(name, "target.")), tensor);
  }
  method->SetTraining(true);
  return method;
}

struct Case {
  const char* golden;
  int views;
  Selection selection;
  std::optional<TargetOptions> target;
  int64_t nearest_candidates = 0;
  int local_views = 0;
};

const Case kCases[] = {
    {"simsiam", 2, Selection::kNone, std::nullopt},
    {"simsiam_gsg_four", 4, Selection::kMin, std::nullopt},
    {"simsiam_gsg_shared", 2, Selection::kMin, std::nullopt},
    {"simsiam_gsg_soft", 2, Selection::kSoft, std::nullopt},
    {"simsiam_gsg_margin", 2, Selection::kMargin, std::nullopt},
    {"simsiam_gsg_nearest", 2, Selection::kMin, std::nullopt, kImages - 1},
    {"simsiam_gsg_local", 2, Selection::kMin, std::nullopt, 0, 2},
    {"byol_local", 2, Selection::kNone, TargetOptions{0.9, false}, 0, 1},
    {"byol", 2, Selection::kNone, TargetOptions{0.9, /*cosine=*/true}},
    {"byol_gsg_four", 4, Selection::kMin, TargetOptions{0.9, false}},
    {"byol_gsg_nearest_four", 4, Selection::kMin, TargetOptions{0.9, false},
     kImages - 1},
};

class GoldenTest
    : public testing::TestWithParam<std::tuple<Case, c10::ScalarType>> {};

// Ten optimizer steps are PyTorch's: losses, chosen pairs, every parameter and
// statistic. In float64 to the digits that the file has. In float32 both sides
// round, each in its own order of operations: PyTorch's largest distance from
// its own float64 run says what that comes to in this case, and eight times
// that is allowed: what the compiler makes of our loops is another order, too,
// and without its vectors (--config=asan) it came to 5.4 times. The images are
// such that rounding switches no ReLU and no pair.
TEST_P(GoldenTest, TenStepsArePyTorchs) {
  const auto& [test_case, type] = GetParam();
  const Golden golden = ReadGolden(test_case.golden);
  const double tolerance = type == c10::kDouble ? 1e-10 : 8 * golden.error;
  std::unique_ptr<Method> method = Make(Options(test_case.target), type);
  Sgd sgd(method->ParameterGroups(), /*momentum=*/0.9);
  for (int step = 0; step < kSteps; ++step) {
    StepInput input =
        Input(golden.salt, step, test_case.views, type, test_case.local_views);
    input.loss.selection = test_case.selection;
    if (test_case.nearest_candidates > 0) {
      input.nearest_candidates = test_case.nearest_candidates;
      input.pairing.clear();
    }
    input.loss.temperature = 0.5;
    input.loss.margin = 0.1;
    const absl::StatusOr<StepResult> result = method->Backward(input);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_NEAR(result->loss, golden.losses[step], tolerance)
        << "step " << step;
    for (size_t k = 0; k < 4 && !golden.pairs.empty(); ++k) {
      EXPECT_EQ(result->pair_count[k], golden.pairs[step][k])
          << "step " << step << ", pair " << k;
    }
    sgd.Step(/*lr=*/0.03, /*peak_lr=*/0.06);
    sgd.ZeroGrad();
  }
  size_t compared = 0;
  for (const auto& [name, tensor] : method->State()) {
    if (!tensor.is_floating_point()) continue;  // num_batches_tracked
    const std::vector<double>& want = golden.tensors.at(name);
    const at::Tensor got =
        tensor.detach().contiguous().view(-1).to(c10::kDouble);
    ASSERT_EQ(static_cast<size_t>(got.numel()), want.size()) << name;
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(got[i].item<double>(), want[i], tolerance)
          << name << "[" << i << "]";
    }
    ++compared;
  }
  EXPECT_EQ(compared, golden.tensors.size());
}

INSTANTIATE_TEST_SUITE_P(
    Methods, GoldenTest,
    testing::Combine(testing::ValuesIn(kCases),
                     testing::Values(c10::kFloat, c10::kDouble)),
    [](const testing::TestParamInfo<GoldenTest::ParamType>& info) {
      return absl::StrCat(std::get<0>(info.param).golden, "_",
                          c10::toString(std::get<1>(info.param)));
    });

at::Tensor Tensor(Method& method, const std::string& name) {
  for (auto& [key, tensor] : method.State()) {
    if (key == name) return tensor;
  }
  ADD_FAILURE() << "no " << name;
  return {};
}

// Guards against pairing each image with itself: then both images of a pair
// would have the same views, and another permutation would change nothing.
TEST(SiameseMethodTest, FourViewsAreOfTwoImages) {
  double losses[2];
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<Method> method = Make(Options(std::nullopt), c10::kDouble);
    StepInput input = Input(0, 0, 4, c10::kDouble);
    input.pairing = i == 0 ? std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7}
                           : std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 0};
    losses[i] = method->Backward(input)->loss;
  }
  EXPECT_NE(losses[0], losses[1]);
}

TEST(SiameseMethodTest, RowsThatAreNotOfAllViewsAreAnError) {
  std::unique_ptr<Method> method = Make(Options(std::nullopt), c10::kDouble);
  StepInput input = Input(0, 0, 2, c10::kDouble);
  input.views.global.pixels = input.views.global.pixels.narrow(0, 0, 11);
  EXPECT_EQ(method->Backward(input).status(),
            absl::InvalidArgumentError(
                "views: [11, 3, 4, 4] is not [images * 2, C, S, S]"));
  input = Input(0, 0, 2, c10::kDouble, 2);
  input.views.local.pixels = input.views.local.pixels.narrow(0, 0, 11);
  EXPECT_EQ(method->Backward(input).status(),
            absl::InvalidArgumentError(
                "local views: [11, 3, 3, 3] is not [images * 2, C, S, S]"));
}

TEST(SiameseMethodTest, LocalViewsNeedTwoLargeOnes) {
  std::unique_ptr<Method> method = Make(Options(std::nullopt), c10::kDouble);
  StepInput input = Input(0, 0, 4, c10::kDouble);
  input.views.local = {input.views.global.view(0), 1};
  const auto result = method->Backward(input);
  EXPECT_THAT(std::string(result.status().message()),
              testing::HasSubstr("got 5 predictions and 4 projections"));
}

TEST(SiameseMethodTest, TheTargetFollowsAndIsNotTrained) {
  std::unique_ptr<Method> method =
      Make(Options(TargetOptions{0.75, false}), c10::kDouble);
  for (const ParameterGroup& group : method->ParameterGroups()) {
    for (const auto& [name, parameter] : group.parameters) {
      EXPECT_THAT(name, testing::Not(testing::StartsWith("target.")));
    }
  }
  const std::string name = "projector.0.weight";
  at::Tensor online = Tensor(*method, name);
  const at::Tensor before = Tensor(*method, "target." + name).clone();
  {
    const at::NoGradGuard no_grad;
    online.add_(1);
  }
  ASSERT_TRUE(method->Backward(Input(0, 0, 2, c10::kDouble)).ok());
  const at::Tensor moved = Tensor(*method, "target." + name) - before;
  EXPECT_NEAR(moved.min().item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(moved.max().item<double>(), 0.25, 1e-12);
  EXPECT_FALSE(Tensor(*method, "target." + name).grad().defined());
}

TEST(SiameseMethodTest, AFrozenBackboneStaysAsItIs) {
  for (const bool byol : {false, true}) {
    std::optional<TargetOptions> target;
    if (byol) target = TargetOptions{0.75, false};
    std::unique_ptr<Method> method = Make(Options(target), c10::kDouble);
    ASSERT_EQ(method->FreezeBackbone(true), absl::OkStatus());
    std::map<std::string, at::Tensor> before;
    for (const auto& [name, tensor] : method->State()) {
      before[name] = tensor.detach().clone();
    }
    for (const bool training : {true, false, true}) {
      method->SetTraining(training);
    }
    ASSERT_TRUE(method->Backward(Input(0, 0, 2, c10::kDouble)).ok());
    for (const auto& [name, tensor] : method->State()) {
      if (absl::StrContains(name, "backbone.")) {
        EXPECT_TRUE(at::equal(tensor, before[name])) << name;
        EXPECT_FALSE(tensor.grad().defined()) << name;
      } else if (!absl::StartsWith(name, "target.") && tensor.requires_grad()) {
        EXPECT_TRUE(tensor.grad().defined()) << name;
      }
    }
    // The heads still have BatchNorms that learn.
    EXPECT_FALSE(at::equal(Tensor(*method, "projector.1.running_mean"),
                           before["projector.1.running_mean"]));

    ASSERT_EQ(method->FreezeBackbone(false), absl::OkStatus());
    ASSERT_TRUE(method->Backward(Input(0, 1, 2, c10::kDouble)).ok());
    for (const auto& [name, tensor] : method->State()) {
      if (!absl::StartsWith(name, "backbone.")) continue;
      if (tensor.requires_grad()) {
        EXPECT_TRUE(tensor.grad().defined()) << name;
      } else {
        EXPECT_FALSE(at::equal(tensor, before[name])) << name;
      }
    }
  }
}

// Rounding is to 8 bits, by 2^-9 of a value at most. A product rounds both
// factors and its result; predictions are 7 products deep (5 convolutions in a
// row, 2 layers) and 2 more, projections 7, and a cosine moves by what its two
// sides move, relatively, if what a layer does to errors BatchNorm undoes.
TEST(SiameseMethodTest, Bfloat16IsFloat32ToRounding) {
  const double tolerance = (9 + 7) * 3 * std::exp2(-9);
  SiameseMethodOptions options = Options(std::nullopt);
  std::unique_ptr<Method> exact = Make(options, c10::kFloat);
  options.bfloat16 = true;
  std::unique_ptr<Method> rounded = Make(options, c10::kFloat);
  Sgd exact_sgd(exact->ParameterGroups(), /*momentum=*/0.9);
  Sgd rounded_sgd(rounded->ParameterGroups(), /*momentum=*/0.9);
  for (int step = 0; step < 3; ++step) {
    StepInput input = Input(0, step, 2, c10::kFloat, /*local_views=*/1);
    input.loss.selection = Selection::kNone;
    const absl::StatusOr<StepResult> want = exact->Backward(input);
    const absl::StatusOr<StepResult> got = rounded->Backward(input);
    ASSERT_TRUE(want.ok()) << want.status();
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_NEAR(got->loss, want->loss, tolerance);
    EXPECT_NE(got->loss, want->loss) << "nothing was rounded";
    for (const ParameterGroup& group : rounded->ParameterGroups()) {
      for (const auto& [name, parameter] : group.parameters) {
        EXPECT_EQ(parameter.scalar_type(), c10::kFloat) << name;
        EXPECT_EQ(parameter.grad().scalar_type(), c10::kFloat) << name;
      }
    }
    for (Sgd* sgd : {&exact_sgd, &rounded_sgd}) {
      sgd->Step(/*lr=*/0.03, /*peak_lr=*/0.06);
      sgd->ZeroGrad();
    }
  }
  for (const auto& [name, tensor] : rounded->State()) {
    EXPECT_NE(tensor.scalar_type(), c10::kBFloat16) << name;
  }
  // Means of what the first convolution makes of the images, which are within
  // 2; three steps take 1 - 0.9^6 of them in.
  const at::Tensor moved = Tensor(*rounded, "backbone.bn1.running_mean") -
                           Tensor(*exact, "backbone.bn1.running_mean");
  EXPECT_GT(moved.abs().max().item<double>(), 0);
  EXPECT_LT(moved.abs().max().item<double>(), 2 * tolerance);
}

// A step whose pairing and seed are in tensors is the step.
TEST(SiameseMethodTest, ReadsPairingAndSeedFromTensors) {
  for (const int views : {2, 4}) {
    StepInput input = Input(0, 0, views, c10::kFloat);
    input.loss.selection = Selection::kRandom;
    input.loss.seed = 12;
    const double want =
        Make(Options(std::nullopt), c10::kFloat)->Backward(input)->loss;
    input.tensors = MakePairingTensors(input.pairing, input.loss.seed,
                                       c10::Device(c10::kCPU))
                        .value();
    input.pairing.clear();
    input.loss.seed = 0;
    EXPECT_EQ(Make(Options(std::nullopt), c10::kFloat)->Backward(input)->loss,
              want);
  }
}

TEST(SiameseMethodTest, TheTargetMayFollowBeforehand) {
  StepInput input = Input(0, 0, 2, c10::kDouble);
  input.progress = 0.5;
  const SiameseMethodOptions options = Options(TargetOptions{0.75, true});
  std::unique_ptr<Method> at_once = Make(options, c10::kDouble);
  std::unique_ptr<Method> beforehand = Make(options, c10::kDouble);
  for (const std::unique_ptr<Method>* method : {&at_once, &beforehand}) {
    const at::NoGradGuard no_grad;
    Tensor(**method, "projector.0.weight").add_(1);
  }
  const double want = at_once->Backward(input)->loss;
  beforehand->UpdateTarget(*input.progress);
  input.progress = std::nullopt;
  EXPECT_EQ(beforehand->Backward(input)->loss, want);
}

TEST(FeatureStdOnDeviceTest, IsTheMetersValue) {
  for (const double offset : {0.0, 1000.0}) {
    const at::Tensor z =
        (Uniform("spread", {7, 5}) - 0.5 + offset).to(c10::kFloat);
    const double want =
        FeatureStd(Rows<const float>(z.const_data_ptr<float>(), 7, 5)).value();
    EXPECT_NEAR(FeatureStdOnDevice(z).item<double>(), want, 1e-12);
  }
}

// What stays on the device is what is read.
TEST(MeasureTest, LeavesUnreadWhatIs) {
  const at::Tensor z = Uniform("measure", {7, 5}).to(c10::kFloat);
  TensorLoss loss;
  loss.on_device = at::tensor({-0.5, 1., 2., 3., 4., 5.}, c10::kDouble);
  const absl::StatusOr<StepResult> result = Measure(loss, z);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(at::equal(result->on_device,
                        at::tensor({-0.5, FeatureStdOnDevice(z).item<double>(),
                                    1., 2., 3., 4., 5.},
                                   c10::kDouble)));
}

TEST(TargetMomentumTest, RisesFromItsValueToOne) {
  EXPECT_EQ(TargetMomentum({0.99, false}, 0.5), 0.99);
  EXPECT_NEAR(TargetMomentum({0.99, true}, 0), 0.99, 1e-15);
  // Halfway along the cosine: 1 - 0.01 / 2.
  EXPECT_NEAR(TargetMomentum({0.99, true}, 0.5), 0.995, 1e-15);
  EXPECT_NEAR(TargetMomentum({0.99, true}, 1), 1, 1e-15);
}

TEST(SiameseMethodTest, WithoutPredictorPredictionsAreProjections) {
  SiameseMethodOptions options = Options(std::nullopt);
  options.network.predictor_hidden = std::nullopt;
  std::unique_ptr<Method> method = Make(options, c10::kDouble);
  for (const auto& [name, tensor] : method->State()) {
    EXPECT_THAT(name, testing::Not(testing::StartsWith("predictor.")));
  }
  StepInput input = Input(0, 0, 2, c10::kDouble);
  input.views.global.view(1).copy_(input.views.global.view(0));
  input.loss.selection = Selection::kNone;
  // Equal views have equal projections, whose cosine is 1.
  EXPECT_NEAR(method->Backward(input)->loss, -1, 1e-12);
}

TEST(SiameseMethodTest, WeightDecayMayLeaveBiasesAndBatchNormOut) {
  SiameseMethodOptions options = Options(std::nullopt);
  options.decay_bias_and_norm = false;
  std::unique_ptr<Method> method = Make(options, c10::kFloat);
  int decayed = 0, others = 0;
  for (const ParameterGroup& group : method->ParameterGroups()) {
    for (const auto& [name, parameter] : group.parameters) {
      EXPECT_EQ(group.weight_decay > 0, parameter.dim() > 1) << name;
      ++(parameter.dim() > 1 ? decayed : others);
    }
  }
  EXPECT_GT(decayed, 0);
  EXPECT_GT(others, 0);
}

// The names of the parameters that have weight decay.
std::vector<std::string> Decayed(Method& method) {
  std::vector<std::string> names;
  for (const ParameterGroup& group : method.ParameterGroups()) {
    if (group.weight_decay == 0) continue;
    for (const auto& item : group.parameters) names.push_back(item.first);
  }
  return names;
}

// Nor does it touch what a transformer adds to its tokens.
TEST(SiameseMethodTest, WeightDecayMayLeaveATransformersEmbeddingsOut) {
  VitOptions backbone;
  backbone.image_size = 4;
  backbone.patch_size = 2;
  backbone.layers = 1;
  backbone.heads = 1;
  backbone.width = 4;
  backbone.mlp_width = 4;
  SiameseMethodOptions options = Options(std::nullopt);
  options.network.backbone = backbone;
  options.decay_bias_and_norm = false;
  std::unique_ptr<Method> method = Make(options, c10::kDouble);
  const std::string layer = "backbone.encoder.layers.encoder_layer_0.";
  EXPECT_THAT(
      Decayed(*method),
      testing::ElementsAre(
          "backbone.conv_proj.weight", layer + "self_attention.in_proj_weight",
          layer + "self_attention.out_proj.weight", layer + "mlp.0.weight",
          layer + "mlp.3.weight", "projector.0.weight", "projector.3.weight",
          "predictor.0.weight", "predictor.3.weight"));
  // And it learns: every parameter gets a gradient.
  ASSERT_TRUE(method->Backward(Input(0, 0, 2, c10::kDouble)).ok());
  for (const ParameterGroup& group : method->ParameterGroups()) {
    for (const auto& [name, parameter] : group.parameters) {
      EXPECT_TRUE(parameter.grad().defined()) << name;
    }
  }
}

// ... and of ConvNeXt the layer scales, which are [C, 1, 1].
TEST(SiameseMethodTest, WeightDecayMayLeaveLayerScalesOut) {
  ConvNextOptions backbone;
  backbone.blocks = {1};
  backbone.widths = {4};
  backbone.stem = ConvNextOptions::Stem::kSmall;
  SiameseMethodOptions options = Options(std::nullopt);
  options.network.backbone = backbone;
  options.decay_bias_and_norm = false;
  std::unique_ptr<Method> method = Make(options, c10::kDouble);
  EXPECT_THAT(Decayed(*method),
              testing::ElementsAre("backbone.features.0.0.weight",
                                   "backbone.features.1.0.block.0.weight",
                                   "backbone.features.1.0.block.3.weight",
                                   "backbone.features.1.0.block.5.weight",
                                   "projector.0.weight", "projector.3.weight",
                                   "predictor.0.weight", "predictor.3.weight"));
  ASSERT_TRUE(method->Backward(Input(0, 0, 2, c10::kDouble)).ok());
  for (const ParameterGroup& group : method->ParameterGroups()) {
    for (const auto& [name, parameter] : group.parameters) {
      EXPECT_TRUE(parameter.grad().defined()) << name;
    }
  }
}

}  // namespace
}  // namespace gsg
