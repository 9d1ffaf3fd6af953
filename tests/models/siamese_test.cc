#include "models/siamese.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/head_options.h"
#include "models/heads.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/utils.h"

namespace gsg {
namespace {

using ::torch::nn::Sequential;

std::vector<std::string> ParametersOf(const torch::nn::Module& module) {
  std::vector<std::string> lines;
  for (const auto& item : module.named_parameters()) {
    lines.push_back(absl::StrCat(item.key(), " ",
                                 absl::StrJoin(item.value().sizes(), "x")));
  }
  return lines;
}

// Training-mode BatchNorm1d, written out.
at::Tensor Normalized(const at::Tensor& x) {
  return (x - x.mean(0)) / (x.var(0, /*unbiased=*/false) + 1e-5).sqrt();
}

at::Tensor Batch(int64_t rows, int64_t columns) {
  return at::randn({rows, columns}, at::kDouble);
}

TEST(HeadsTest, NamesAreTheAuthorsLayerNumbers) {
  EXPECT_EQ(ParametersOf(*MakeProjector(8, {3, 6, 4}).value()),
            (std::vector<std::string>{"0.weight 6x8", "1.weight 6", "1.bias 6",
                                      "3.weight 6x6", "4.weight 6", "4.bias 6",
                                      "6.weight 4x6"}));
  EXPECT_EQ(ParametersOf(*MakeProjector(8, {2, 6, 4}).value()),
            (std::vector<std::string>{"0.weight 6x8", "1.weight 6", "1.bias 6",
                                      "3.weight 4x6"}));
  EXPECT_EQ(ParametersOf(*MakePredictor(8, 2).value()),
            (std::vector<std::string>{"0.weight 2x8", "1.weight 2", "1.bias 2",
                                      "3.weight 8x2", "3.bias 8"}));
}

TEST(HeadsTest, ProjectorLastBatchNormKeepsStatisticsOnly) {
  Sequential projector = MakeProjector(8, {3, 6, 4}).value();
  EXPECT_EQ(projector->named_buffers()["7.running_mean"].numel(), 4);
}

TEST(HeadsTest, ProjectorIsTheFormula) {
  torch::manual_seed(11);
  for (int64_t layers : {2, 3}) {
    Sequential projector = MakeProjector(5, {layers, 7, 3}).value();
    projector->to(at::kDouble);
    const std::vector<at::Tensor> p = projector->parameters();
    const at::Tensor x = Batch(6, 5);
    at::Tensor want = x;
    for (int64_t l = 0; l + 1 < layers; ++l) {
      p[3 * l + 1].detach().uniform_(0.5, 1.5);
      p[3 * l + 2].detach().uniform_(-1, 1);
      want = Normalized(want.matmul(p[3 * l].t()));
      want = (want * p[3 * l + 1] + p[3 * l + 2]).relu();
    }
    want = Normalized(want.matmul(p.back().t()));
    EXPECT_TRUE(projector->forward(x).allclose(want, 1e-10, 1e-12)) << layers;
  }
}

TEST(HeadsTest, PredictorIsTheFormula) {
  torch::manual_seed(12);
  Sequential predictor = MakePredictor(5, 3).value();
  predictor->to(at::kDouble);
  const std::vector<at::Tensor> p = predictor->parameters();
  p[1].detach().uniform_(0.5, 1.5);
  p[2].detach().uniform_(-1, 1);
  const at::Tensor z = Batch(6, 5);
  const at::Tensor hidden =
      (Normalized(z.matmul(p[0].t())) * p[1] + p[2]).relu();
  const at::Tensor want = hidden.matmul(p[3].t()) + p[4];
  EXPECT_TRUE(predictor->forward(z).allclose(want, 1e-10, 1e-12));
}

TEST(HeadsTest, LinearInitIsPyTorchsDefault) {
  torch::manual_seed(13);
  Sequential predictor = MakePredictor(400, 100).value();
  auto parameters = predictor->named_parameters();
  // Uniform within 1 / sqrt(fan_in).
  for (const auto& [name, bound] : std::vector<std::pair<std::string, double>>{
           {"0.weight", 0.05}, {"3.weight", 0.1}, {"3.bias", 0.1}}) {
    const double largest = parameters[name].abs().max().item<double>();
    EXPECT_LE(largest, bound * (1 + 1e-6)) << name;
    EXPECT_GT(largest, bound * 0.95) << name;
  }
}

TEST(HeadsTest, BadOptions) {
  EXPECT_EQ(MakeProjector(8, {4, 6, 4}).status(),
            absl::InvalidArgumentError("projector has 4 layers; use 2 or 3"));
  EXPECT_EQ(MakeProjector(8, {2, 0, 4}).status(),
            absl::InvalidArgumentError("projector widths are input 8, hidden "
                                       "0, output 4; must be positive"));
  EXPECT_EQ(MakePredictor(8, -1).status(),
            absl::InvalidArgumentError(
                "predictor widths are dim 8, hidden -1; must be positive"));
}

SiameseOptions Tiny() {
  ResNetOptions backbone;
  backbone.blocks = {1};
  backbone.widths = {4};
  backbone.strides = {2};
  backbone.stem = ResNetOptions::Stem::kSmall;
  SiameseOptions options;
  options.backbone = backbone;
  options.projector = {2, 6, 5};
  options.predictor_hidden = 3;
  return options;
}

TEST(SiameseTest, ComposesRegisteredParts) {
  torch::manual_seed(21);
  const std::shared_ptr<SiameseModel> model = MakeSiameseModel(Tiny()).value();
  const auto parameters = model->module().named_parameters();
  EXPECT_TRUE(parameters.contains("backbone.layer1.0.conv2.weight"));
  EXPECT_TRUE(parameters.contains("projector.3.weight"));
  EXPECT_TRUE(parameters.contains("predictor.3.bias"));
  model->module().eval();  // forward passes then change no statistics
  const auto head = [&](const std::string& name) {
    return std::dynamic_pointer_cast<torch::nn::SequentialImpl>(
        model->module().named_children()[name]);
  };
  const at::Tensor x = at::randn({4, 3, 8, 8});
  const at::Tensor z = model->project(x);
  EXPECT_TRUE(
      z.equal(head("projector")->forward(model->backbone().forward(x))));
  EXPECT_EQ(z.sizes(), at::IntArrayRef({4, 5}));
  EXPECT_TRUE(model->predict(z).equal(head("predictor")->forward(z)));
}

TEST(SiameseTest, GradientReachesEveryParameter) {
  torch::manual_seed(22);
  const std::shared_ptr<SiameseModel> model = MakeSiameseModel(Tiny()).value();
  model->module().to(at::kDouble);
  const at::Tensor x = at::randn({6, 3, 8, 8}, at::kDouble);
  const at::Tensor p = model->predict(model->project(x));
  (p * Batch(6, 5)).sum().backward();
  for (const auto& item : model->module().named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 1e-6)
        << item.key();
  }
}

TEST(SiameseTest, WithoutPredictorPredictionIsTheProjection) {
  SiameseOptions options = Tiny();
  options.predictor_hidden = std::nullopt;
  const std::shared_ptr<SiameseModel> model = MakeSiameseModel(options).value();
  EXPECT_FALSE(model->module().named_children().contains("predictor"));
  const at::Tensor z = at::randn({2, 5});
  EXPECT_TRUE(model->predict(z).is_same(z));
}

TEST(SiameseTest, SeedGivesOneBackboneWhateverTheHeads) {
  SiameseOptions options = Tiny();
  const auto backbone = [&] {
    torch::manual_seed(23);
    return Parameters(MakeSiameseModel(options).value()->backbone().module());
  };
  const std::vector<at::Tensor> a = backbone();
  options.projector = {3, 9, 9};
  options.predictor_hidden = std::nullopt;
  const std::vector<at::Tensor> b = backbone();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << i;
}

TEST(SiameseTest, PartsErrorsReachTheCaller) {
  SiameseOptions options = Tiny();
  std::get<ResNetOptions>(options.backbone).in_channels = 0;
  EXPECT_EQ(MakeSiameseModel(options).status(),
            MakeBackbone(options.backbone).status());
  options = Tiny();
  options.projector.layers = 1;
  EXPECT_EQ(MakeSiameseModel(options).status(),
            MakeProjector(4, options.projector).status());
  options = Tiny();
  options.predictor_hidden = 0;
  EXPECT_EQ(MakeSiameseModel(options).status(), MakePredictor(5, 0).status());
}

}  // namespace
}  // namespace gsg
