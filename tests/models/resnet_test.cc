#include "models/resnet.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/models/formula_tensors.h"
#include "tests/models/network_goldens.h"
#include "torch/utils.h"

namespace gsg {
namespace {

using Block = ResNetOptions::Block;
using Stem = ResNetOptions::Stem;

ResNet MakeNamed(const std::string& name, Stem stem = Stem::kImageNet,
                 int64_t in_channels = 3) {
  return MakeResNet(ResNetOptionsFor(name, stem, in_channels).value()).value();
}

TEST(ResNetTest, NamesShapesAndOrderAreTorchvisions) {
  EXPECT_EQ(NamesAndShapes(*MakeNamed("resnet18")),
            GoldenLines("resnet18.txt"));
  EXPECT_EQ(NamesAndShapes(*MakeNamed("resnet50")),
            GoldenLines("resnet50.txt"));
}

TEST(ResNetTest, ParameterCountsWithoutClassifier) {
  // torchvision's published counts less fc's 1000 x (feature_dim + 1).
  EXPECT_EQ(ParameterCount(*MakeNamed("resnet18")), 11689512 - 1000 * 513);
  EXPECT_EQ(ParameterCount(*MakeNamed("resnet50")), 25557032 - 1000 * 2049);
}

struct Case {
  std::string name;
  std::string network;
  Stem stem;
  std::vector<int64_t> input;
};

TEST(ResNetTest, FeaturesAreTorchvisions) {
  const std::vector<Case> cases = {
      {"resnet18_imagenet", "resnet18", Stem::kImageNet, {3, 3, 64, 64}},
      {"resnet18_small", "resnet18", Stem::kSmall, {3, 3, 16, 16}},
      {"resnet18_small_stride2_gray",
       "resnet18",
       Stem::kSmallStride2,
       {3, 1, 28, 28}},
      {"resnet50_imagenet", "resnet50", Stem::kImageNet, {3, 3, 64, 64}},
  };
  const std::vector<std::string> lines = GoldenLines("features.txt");
  ASSERT_EQ(lines.size(), 2 * cases.size());
  torch::NoGradGuard no_grad;
  for (size_t c = 0; c < cases.size(); ++c) {
    ResNet net = MakeNamed(cases[c].network, cases[c].stem, cases[c].input[1]);
    net->to(at::kDouble);
    FillAll(*net);
    const at::Tensor x = Uniform("input", cases[c].input) - 0.5;
    // Train first: eval then depends on the running statistics it updated.
    for (bool train : {true, false}) {
      const std::string& line = lines[2 * c + (train ? 0 : 1)];
      SCOPED_TRACE(line);
      std::istringstream golden(line);
      std::string name, mode;
      golden >> name >> mode;
      ASSERT_EQ(name, cases[c].name);
      ASSERT_EQ(mode, train ? "train" : "eval");
      net->train(train);
      const at::Tensor y = net->forward(x);
      ASSERT_EQ(y.sizes(), at::IntArrayRef({3, net->feature_dim()}));
      std::vector<double> got;
      for (int i = 0; i < 8; ++i) got.push_back(y[0][i].item<double>());
      const double mean = y.mean().item<double>();
      got.push_back(mean);
      got.push_back(y.std(/*unbiased=*/false).item<double>());
      for (double value : got) {
        double want;
        ASSERT_TRUE(golden >> want);
        // A feature far below the mean carries the error of larger terms.
        EXPECT_NEAR(value, want, 1e-9 * std::max(want, mean));
      }
    }
  }
}

TEST(ResNetTest, SmallNetworkTakesGrayImages) {
  const ResNetOptions options =
      ResNetOptionsFor("resnet_small", Stem::kSmallStride2, 1).value();
  ResNet net = MakeResNet(options).value();
  EXPECT_EQ(net->feature_dim(), options.widths.back());
  EXPECT_EQ(net->forward(at::zeros({2, 1, 28, 28})).sizes(),
            at::IntArrayRef({2, options.widths.back()}));
}

TEST(ResNetTest, InitIsKaimingFanOutAndUnitBatchNorm) {
  torch::manual_seed(7);
  ResNet net = MakeNamed("resnet50");
  auto parameters = net->named_parameters();
  // 256 x 64 x 1 x 1: fan-out 256, fan-in 64 (which would double the value).
  const at::Tensor& w = parameters["layer1.0.conv3.weight"];
  const double five_sigma = 5 / std::sqrt(2.0 * w.numel());
  EXPECT_NEAR(w.std().item<double>() / std::sqrt(2.0 / 256), 1, five_sigma);
  for (const auto& item : parameters) {
    const at::Tensor& p = item.value();
    if (p.dim() != 1) continue;
    const double want = absl::EndsWith(item.key(), "weight") ? 1 : 0;
    EXPECT_TRUE(p.eq(want).all().item<bool>()) << item.key();
  }
}

TEST(ResNetTest, SeedDecidesEveryParameter) {
  auto draw = [](uint64_t seed) {
    torch::manual_seed(seed);
    return MakeNamed("resnet_small")->parameters();
  };
  const std::vector<at::Tensor> a = draw(1), b = draw(1), c = draw(2);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].equal(b[i])) << i;
    const bool drawn = a[i].dim() == 4;  // BatchNorm starts at constants
    EXPECT_EQ(a[i].equal(c[i]), !drawn) << i;
  }
}

// A network whose extra blocks all have an identity shortcut.
ResNetOptions Deep(Block block, int64_t blocks, bool zero_init) {
  ResNetOptions options;
  options.block = block;
  options.blocks = {blocks};
  options.widths = {4};
  options.strides = {2};
  options.stem = Stem::kSmall;
  options.zero_init_residual = zero_init;
  return options;
}

TEST(ResNetTest, ZeroInitMakesBlocksTheIdentity) {
  const at::Tensor x = Uniform("input", {2, 3, 8, 8}).to(at::kFloat);
  for (Block block : {Block::kBasic, Block::kBottleneck}) {
    auto features = [&](int64_t blocks, bool zero_init) {
      torch::manual_seed(3);  // the common first blocks get the same values
      return MakeResNet(Deep(block, blocks, zero_init)).value()->forward(x);
    };
    EXPECT_GT(features(1, true).sum().item<float>(), 0);
    EXPECT_TRUE(features(3, true).equal(features(1, true)));
    EXPECT_FALSE(features(3, false).equal(features(1, false)));
  }
}

TEST(ResNetTest, GradientReachesEveryParameter) {
  for (Block block : {Block::kBasic, Block::kBottleneck}) {
    ResNet net = MakeResNet(Deep(block, 2, false)).value();
    net->to(at::kDouble);
    FillAll(*net);
    const at::Tensor y = net->forward(Uniform("input", {3, 3, 8, 8}));
    (y * Uniform("direction", y.sizes())).sum().backward();
    for (const auto& item : net->named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_GT(item.value().grad().abs().max().item<double>(), 1e-6)
          << item.key();
    }
  }
}

TEST(ResNetTest, BadInputThrows) {
  ResNet net = MakeNamed("resnet_small", Stem::kSmallStride2, 1);
  try {
    net->forward(at::zeros({2, 3, 28, 28}));
    FAIL() << "three channels were taken for one";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "ResNet takes [B, 1, H, W]; got [2, 3, 28, 28]");
  }
  EXPECT_THROW(net->forward(at::zeros({1, 28, 28})), c10::ValueError);
}

TEST(ResNetTest, BadOptions) {
  auto error = [](auto change) {
    ResNetOptions options = Deep(Block::kBasic, 1, false);
    change(options);
    return MakeResNet(options).status();
  };
  using O = ResNetOptions;
  EXPECT_EQ(error([](O& o) { o.widths = {}; }),
            absl::InvalidArgumentError(
                "ResNetOptions has 1 blocks, 0 widths and 1 strides; give one "
                "of each per stage, for at least one stage"));
  EXPECT_EQ(error([](O& o) { o.blocks = o.widths = o.strides = {}; }),
            absl::InvalidArgumentError(
                "ResNetOptions has 0 blocks, 0 widths and 0 strides; give one "
                "of each per stage, for at least one stage"));
  EXPECT_EQ(error([](O& o) {
              o.blocks = o.strides = {1, 1};
              o.widths = {64, 0};
            }),
            absl::InvalidArgumentError(
                "ResNetOptions.widths = 64, 0; must be positive"));
  EXPECT_EQ(error([](O& o) { o.blocks = {-1}; }),
            absl::InvalidArgumentError(
                "ResNetOptions.blocks = -1; must be positive"));
  EXPECT_EQ(error([](O& o) { o.strides = {0}; }),
            absl::InvalidArgumentError(
                "ResNetOptions.strides = 0; must be positive"));
  EXPECT_EQ(error([](O& o) { o.inner_factor = 0; }),
            absl::InvalidArgumentError(
                "ResNetOptions.inner_factor = 0; must be positive"));
  EXPECT_EQ(error([](O& o) { o.in_channels = 0; }),
            absl::InvalidArgumentError(
                "ResNetOptions.in_channels = 0; must be positive"));
  EXPECT_EQ(ResNetOptionsFor("resnet152", Stem::kSmall).status(),
            absl::InvalidArgumentError(
                "unknown backbone \"resnet152\"; use resnet18, resnet34, "
                "resnet50, resnet101, wide_resnet50_2 or resnet_small"));
}

}  // namespace
}  // namespace gsg
