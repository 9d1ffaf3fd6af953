#include "models/convnext.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/make_backbone.h"
#include "tests/models/network_goldens.h"
#include "torch/utils.h"

namespace gsg {
namespace {

using Stem = ConvNextOptions::Stem;

ConvNext MakeNamed(Stem stem = Stem::kImageNet, int64_t in_channels = 3) {
  return MakeConvNext(
             ConvNextOptionsFor("convnext_tiny", stem, in_channels).value())
      .value();
}

// Two stages, for what does not need four.
ConvNextOptions Small() {
  ConvNextOptions options;
  options.blocks = {1, 2};
  options.widths = {2, 4};
  return options;
}

TEST(ConvNextTest, NamesShapesAndOrderAreTorchvisions) {
  EXPECT_EQ(NamesAndShapes(*MakeNamed()), GoldenLines("convnext_tiny.txt"));
}

TEST(ConvNextTest, ParameterCountWithoutClassifier) {
  // The published network's, less the classifier's 1000 x (width + 1).
  EXPECT_EQ(ParameterCount(*MakeNamed()), 28589128 - 1000 * 769);
}

TEST(ConvNextTest, FeaturesAndGradientsAreTorchvisions) {
  struct Case {
    std::string name;
    Stem stem;
    std::vector<int64_t> input;
  };
  const std::vector<Case> cases = {
      {"convnext_tiny", Stem::kImageNet, {3, 3, 64, 96}},
      {"convnext_tiny_small", Stem::kSmall, {3, 3, 9, 8}},
      {"convnext_tiny_small_stride2_gray", Stem::kSmallStride2, {3, 1, 28, 15}},
  };
  const std::map<std::string, Golden> goldens = ReadGoldens("convnext.txt");
  ASSERT_EQ(goldens.size(), cases.size());
  ASSERT_EQ(goldens.at("convnext_tiny").gradients.size(),
            GoldenLines("convnext_tiny.txt").size());
  for (const Case& c : cases) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      SCOPED_TRACE(c.name + (type == at::kDouble ? ", double" : ", float"));
      ConvNext net = MakeNamed(c.stem, c.input[1]);
      ExpectGolden(goldens.at(c.name), *net, c.input, type);
    }
  }
}

TEST(ConvNextTest, InitIsTorchvisions) {
  torch::manual_seed(7);
  ConvNext net = MakeNamed();
  for (const auto& item : net->named_parameters()) {
    const std::string& name = item.key();
    const at::Tensor& p = item.value();
    if (absl::EndsWith(name, ".layer_scale")) {
      EXPECT_TRUE(p.eq(1e-6f).all().item<bool>()) << name;
    } else if (absl::EndsWith(name, ".bias")) {
      EXPECT_TRUE(p.eq(0).all().item<bool>()) << name;
    } else if (p.dim() == 1) {  // of norms
      EXPECT_TRUE(p.eq(1).all().item<bool>()) << name;
    } else {
      // A deviation within five of its own, which is about 1 / sqrt(2n) of it.
      EXPECT_NEAR(p.std().item<double>() / 0.02, 1,
                  5 / std::sqrt(2.0 * p.numel()))
          << name;
      EXPECT_NEAR(p.mean().item<double>(), 0, 5 * 0.02 / std::sqrt(p.numel()))
          << name;
    }
  }
}

TEST(ConvNextTest, SeedDecidesEveryParameter) {
  const auto draw = [](uint64_t seed) {
    torch::manual_seed(seed);
    return MakeConvNext(Small()).value()->parameters();
  };
  const std::vector<at::Tensor> a = draw(1), b = draw(1), c = draw(2);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].equal(b[i])) << i;
    const bool constant = a[i].eq(a[i].view(-1)[0]).all().item<bool>();
    EXPECT_EQ(a[i].equal(c[i]), constant) << i;
  }
}

// Nothing in it is random or of a batch: training mode changes no feature, and
// an image's do not depend on its neighbors.
TEST(ConvNextTest, FeaturesAreOfAnImageAlone) {
  torch::manual_seed(3);
  ConvNextOptions options = Small();
  options.layer_scale = 1;
  ConvNext net = MakeConvNext(options).value();
  torch::NoGradGuard no_grad;
  const at::Tensor x = at::randn({4, 3, 16, 16});
  const at::Tensor trained = net->forward(x);
  net->eval();
  EXPECT_TRUE(net->forward(x).equal(trained));
  EXPECT_TRUE(
      net->forward(x.narrow(0, 2, 1)).allclose(trained.narrow(0, 2, 1), 1e-5));
}

TEST(ConvNextTest, SizesOfWhichNothingIsLeft) {
  for (const auto& [stem, least] :
       std::map<Stem, int64_t>{{Stem::kImageNet, 32},
                               {Stem::kSmall, 8},
                               {Stem::kSmallStride2, 15}}) {
    ConvNext net = MakeNamed(stem);
    torch::NoGradGuard no_grad;
    EXPECT_TRUE(net->CheckImageSize(least, least).ok());
    EXPECT_EQ(net->forward(at::zeros({1, 3, least, least})).sizes(),
              at::IntArrayRef({1, 768}));
    EXPECT_EQ(net->CheckImageSize(least, least - 1),
              absl::InvalidArgumentError(absl::StrCat(
                  "images of ", least, "x", least - 1,
                  " pixels are too small for this ConvNeXt; both sides must "
                  "have at least ",
                  least)));
    EXPECT_FALSE(net->CheckImageSize(least - 1, least).ok());
    EXPECT_THROW(net->forward(at::zeros({1, 3, least - 1, least})),
                 c10::ValueError);
  }
}

TEST(ConvNextTest, BadInputThrows) {
  ConvNext net = MakeConvNext(Small()).value();
  try {
    net->forward(at::zeros({2, 1, 8, 8}));
    FAIL() << "one channel was taken for three";
  } catch (const c10::ValueError& error) {
    EXPECT_STREQ(error.what_without_backtrace(),
                 "ConvNeXt takes [B, 3, H, W]; got [2, 1, 8, 8]");
  }
  EXPECT_THROW(net->forward(at::zeros({3, 8, 8})), c10::ValueError);
}

TEST(ConvNextTest, BadOptions) {
  const auto error = [](auto change) {
    ConvNextOptions options = Small();
    change(options);
    return MakeConvNext(options).status();
  };
  using O = ConvNextOptions;
  EXPECT_EQ(error([](O& o) { o.widths.pop_back(); }),
            absl::InvalidArgumentError(
                "ConvNextOptions has 2 blocks and 1 widths; give one of each "
                "per stage, for at least one stage"));
  EXPECT_EQ(error([](O& o) { o.blocks = o.widths = {}; }),
            absl::InvalidArgumentError(
                "ConvNextOptions has 0 blocks and 0 widths; give one of each "
                "per stage, for at least one stage"));
  EXPECT_EQ(error([](O& o) { o.widths[1] = 0; }),
            absl::InvalidArgumentError(
                "ConvNextOptions.widths = 2, 0; must be positive"));
  EXPECT_EQ(error([](O& o) { o.blocks[0] = -1; }),
            absl::InvalidArgumentError(
                "ConvNextOptions.blocks = -1, 2; must be positive"));
  EXPECT_EQ(error([](O& o) { o.in_channels = 0; }),
            absl::InvalidArgumentError(
                "ConvNextOptions.in_channels = 0; must be positive"));
  EXPECT_EQ(error([](O& o) {
              o.layer_scale = std::numeric_limits<double>::infinity();
            }),
            absl::InvalidArgumentError(
                "ConvNextOptions.layer_scale = inf; must be finite"));
  EXPECT_EQ(ConvNextOptionsFor("convnext_huge", Stem::kSmall).status(),
            absl::InvalidArgumentError(
                "unknown backbone \"convnext_huge\"; use convnext_tiny"));
}

TEST(ConvNextTest, MakeBackboneMakesIt) {
  const std::shared_ptr<Backbone> net = MakeBackbone(Small()).value();
  EXPECT_NE(dynamic_cast<ConvNextImpl*>(net.get()), nullptr);
  EXPECT_EQ(net->feature_dim(), 4);
  ConvNextOptions bad = Small();
  bad.widths.clear();
  EXPECT_EQ(MakeBackbone(bad).status(), MakeConvNext(bad).status());
}

}  // namespace
}  // namespace gsg
