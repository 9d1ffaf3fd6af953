#include "models/vit.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/make_backbone.h"
#include "models/resnet.h"
#include "tests/models/network_goldens.h"
#include "torch/utils.h"

namespace gsg {
namespace {

Vit MakeNamed(const std::string& name, int64_t image_size, int64_t patch_size,
              int64_t in_channels = 3) {
  return MakeVit(
             VitOptionsFor(name, image_size, patch_size, in_channels).value())
      .value();
}

// One layer, for what does not need twelve.
VitOptions Small() {
  VitOptions options;
  options.image_size = 8;
  options.patch_size = 4;
  options.layers = 1;
  options.heads = 2;
  options.width = 6;
  options.mlp_width = 10;
  return options;
}

TEST(VitTest, NamesShapesAndOrderAreTorchvisions) {
  EXPECT_EQ(NamesAndShapes(*MakeNamed("vit_tiny", 32, 4)),
            GoldenLines("vit_tiny.txt"));
}

TEST(VitTest, ParameterCountsWithoutClassifier) {
  // DeiT's published networks (timm's deit_{tiny,small}_patch16_224) less the
  // classifier's 1000 x (width + 1).
  EXPECT_EQ(ParameterCount(*MakeNamed("vit_tiny", 224, 16)),
            5717416 - 1000 * 193);
  EXPECT_EQ(ParameterCount(*MakeNamed("vit_small", 224, 16)),
            22050664 - 1000 * 385);
}

struct Case {
  std::string name;
  std::string network;
  int64_t image_size;
  int64_t patch_size;
  std::vector<int64_t> input;
};

TEST(VitTest, FeaturesAndGradientsAreTorchvisions) {
  const std::vector<Case> cases = {
      {"vit_tiny", "vit_tiny", 32, 4, {3, 3, 32, 32}},
      {"vit_small", "vit_small", 64, 16, {3, 3, 64, 64}},
      {"vit_tiny_gray", "vit_tiny", 28, 4, {3, 1, 28, 28}},
      // Of larger images than it was made for.
      {"vit_tiny_larger", "vit_tiny", 20, 4, {3, 1, 28, 28}},
  };
  const std::map<std::string, Golden> goldens = ReadGoldens("vit.txt");
  ASSERT_EQ(goldens.size(), cases.size());
  ASSERT_EQ(goldens.at("vit_tiny").gradients.size(),
            GoldenLines("vit_tiny.txt").size());
  for (const Case& c : cases) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      SCOPED_TRACE(c.name + (type == at::kDouble ? ", double" : ", float"));
      Vit net = MakeNamed(c.network, c.image_size, c.patch_size, c.input[1]);
      ExpectGolden(goldens.at(c.name), *net, c.input, type);
    }
  }
}

TEST(VitTest, InitIsTorchvisions) {
  torch::manual_seed(7);
  Vit net = MakeNamed("vit_tiny", 32, 4);
  auto parameters = net->named_parameters();
  // Deviations within five of their own, which is about 1 / sqrt(2n) of them.
  const auto expect_deviation = [&](const std::string& name, double want) {
    const at::Tensor& p = parameters[name];
    EXPECT_NEAR(p.std().item<double>() / want, 1,
                5 / std::sqrt(2.0 * p.numel()))
        << name;
  };
  expect_deviation("conv_proj.weight", 1 / std::sqrt(3 * 4 * 4));
  expect_deviation("encoder.pos_embedding", 0.02);
  const std::string layer = "encoder.layers.encoder_layer_3.";
  // Xavier: uniform, variance 2 / (rows + columns). As of one matrix of three
  // for the attention.
  expect_deviation(layer + "self_attention.in_proj_weight",
                   std::sqrt(2.0 / (3 * 192 + 192)));
  expect_deviation(layer + "mlp.0.weight", std::sqrt(2.0 / (768 + 192)));
  expect_deviation(layer + "mlp.3.weight", std::sqrt(2.0 / (192 + 768)));
  expect_deviation(layer + "mlp.0.bias", 1e-6);
  // A Linear's default: uniform within 1 / sqrt(columns).
  expect_deviation(layer + "self_attention.out_proj.weight",
                   1 / std::sqrt(3.0 * 192));
  for (const auto& item : parameters) {
    const bool zero = absl::EndsWith(item.key(), "class_token") ||
                      absl::EndsWith(item.key(), "conv_proj.bias") ||
                      absl::EndsWith(item.key(), "in_proj_bias") ||
                      absl::EndsWith(item.key(), "out_proj.bias") ||
                      absl::EndsWith(item.key(), "ln.bias") ||
                      absl::EndsWith(item.key(), "ln_1.bias") ||
                      absl::EndsWith(item.key(), "ln_2.bias");
    const bool one = absl::EndsWith(item.key(), "ln.weight") ||
                     absl::EndsWith(item.key(), "ln_1.weight") ||
                     absl::EndsWith(item.key(), "ln_2.weight");
    EXPECT_EQ(item.value().eq(0).all().item<bool>(), zero) << item.key();
    EXPECT_EQ(item.value().eq(1).all().item<bool>(), one) << item.key();
  }
}

TEST(VitTest, SeedDecidesEveryParameter) {
  const auto draw = [](uint64_t seed) {
    torch::manual_seed(seed);
    return MakeVit(Small()).value()->parameters();
  };
  const std::vector<at::Tensor> a = draw(1), b = draw(1), c = draw(2);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].equal(b[i])) << i;
    const bool constant = a[i].eq(a[i].view(-1)[0]).all().item<bool>();
    EXPECT_EQ(a[i].equal(c[i]), constant) << i;
  }
}

// Mirrored images that are not square, with mirrored position embeddings.
TEST(VitTest, PositionsKeepTheirPlacesOffTheSquare) {
  torch::manual_seed(5);
  Vit net = MakeVit(Small()).value();
  torch::NoGradGuard no_grad;
  const at::Tensor x = at::randn({2, 3, 8, 12});
  const at::Tensor y = net->forward(x);
  const at::Tensor upside_down = net->forward(x.flip({2}));
  EXPECT_GT((upside_down - y).abs().max().item<float>(), 1e-3);
  at::Tensor positions = net->named_parameters()["encoder.pos_embedding"];
  const at::Tensor grid = positions.narrow(1, 1, 4).view({1, 2, 2, 6}).clone();
  positions.narrow(1, 1, 4).copy_(grid.flip({1}).reshape({1, 4, 6}));
  at::Tensor patches = net->named_parameters()["conv_proj.weight"];
  patches.copy_(patches.flip({2}).clone());
  EXPECT_TRUE(net->forward(x.flip({2})).allclose(y, 1e-4, 1e-5));
}

TEST(VitTest, SizesThatDoNotDivideIntoPatches) {
  Vit net = MakeVit(Small()).value();
  EXPECT_TRUE(net->CheckImageSize(8, 8).ok());
  EXPECT_TRUE(net->CheckImageSize(12, 4).ok());
  for (const auto& [height, width] :
       std::vector<std::pair<int64_t, int64_t>>{{8, 10}, {10, 8}, {0, 8}}) {
    EXPECT_EQ(net->CheckImageSize(height, width),
              absl::InvalidArgumentError(absl::StrCat(
                  "images of ", height, "x", width,
                  " pixels do not divide into patches of 4x4; both sides must "
                  "be multiples of 4")));
  }
  EXPECT_THROW(net->forward(at::zeros({1, 3, 8, 10})), c10::ValueError);
}

TEST(VitTest, BadInputThrows) {
  Vit net = MakeVit(Small()).value();
  try {
    net->forward(at::zeros({2, 1, 8, 8}));
    FAIL() << "one channel was taken for three";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "Vit takes [B, 3, H, W]; got [2, 1, 8, 8]");
  }
  EXPECT_THROW(net->forward(at::zeros({3, 8, 8})), c10::ValueError);
}

TEST(VitTest, BadOptions) {
  const auto error = [](auto change) {
    VitOptions options = Small();
    change(options);
    return MakeVit(options).status();
  };
  using O = VitOptions;
  EXPECT_EQ(
      error([](O& o) { o.layers = 0; }),
      absl::InvalidArgumentError("VitOptions.layers = 0; must be positive"));
  EXPECT_EQ(error([](O& o) { o.in_channels = -1; }),
            absl::InvalidArgumentError(
                "VitOptions.in_channels = -1; must be positive"));
  EXPECT_EQ(error([](O& o) { o.heads = 4; }),
            absl::InvalidArgumentError(
                "VitOptions.width = 6; must be a multiple of heads = 4"));
  EXPECT_EQ(
      error([](O& o) { o.image_size = 10; }),
      absl::InvalidArgumentError(
          "VitOptions.image_size = 10; must be a multiple of patch_size = 4"));
  EXPECT_EQ(VitOptionsFor("vit_huge", 8, 4).status(),
            absl::InvalidArgumentError(
                "unknown backbone \"vit_huge\"; use vit_tiny, vit_small "
                "or vit_base"));
}

TEST(MakeBackboneTest, MakesWhatTheOptionsAreOf) {
  const std::shared_ptr<Backbone> vit = MakeBackbone(Small()).value();
  EXPECT_NE(dynamic_cast<VitImpl*>(vit.get()), nullptr);
  EXPECT_EQ(vit->feature_dim(), 6);
  const std::shared_ptr<Backbone> resnet =
      MakeBackbone(
          ResNetOptionsFor("resnet_small", ResNetOptions::Stem::kSmall).value())
          .value();
  EXPECT_NE(dynamic_cast<ResNetImpl*>(resnet.get()), nullptr);
  EXPECT_EQ(resnet->feature_dim(), 256);
  EXPECT_TRUE(resnet->CheckImageSize(9, 7).ok());
  VitOptions bad = Small();
  bad.layers = 0;
  EXPECT_EQ(MakeBackbone(bad).status(), MakeVit(bad).status());
}

}  // namespace
}  // namespace gsg
