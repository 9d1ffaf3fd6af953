#include "trainers/evaluate/features.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/make_backbone.h"
#include "models/module_state.h"
#include "tests/trainers/evaluate/small_images.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"

namespace gsg {
namespace {

// Two images of 2x1 pixels with two channels.
TEST(FeaturesTest, RawPixelsAndLabels) {
  const ImageSetSource source(
      ImageSet{2, 2, 2, 1, {0, 255, 51, 51, 255, 0, 51, 51}, {4, 9}}, "test");
  DamagedImages damaged(0);
  const absl::StatusOr<Features> features =
      PixelFeatures(source, {0, 1}, 20, 1, &damaged);
  ASSERT_TRUE(features.ok()) << features.status();
  const at::Tensor want =
      at::tensor({0.f, 1.f, 0.2f, 0.2f, 1.f, 0.f, 0.2f, 0.2f}).view({2, 4});
  EXPECT_LT((features->rows - want).abs().max().item<float>(), 1e-7f);
  EXPECT_TRUE(at::equal(features->labels, at::tensor({4, 9}, at::kLong)));
  const absl::StatusOr<Features> second =
      PixelFeatures(source, {1}, 20, 1, &damaged);
  EXPECT_TRUE(at::equal(second->rows, features->rows.narrow(0, 1, 1)));
  EXPECT_TRUE(at::equal(second->labels, at::tensor({9}, at::kLong)));
}

// Those of index 0 and 501 are damaged, and so is every one from 1000 on.
SmallImages DamagedSource() {
  return SmallImages(1100, [](int64_t index) {
    const bool torn = index == 0 || index == 501 || index >= 1000;
    return torn ? absl::DataLossError("torn") : absl::OkStatus();
  });
}

// Across blocks of 500, rows stay with their images.
TEST(FeaturesTest, DamagedImagesHaveNoRow) {
  const SmallImages source = DamagedSource();
  DamagedImages damaged(0.5);
  const absl::StatusOr<Features> features =
      PixelFeatures(source, EvenlySpaced(1000, 0), 2, 2, &damaged);
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_EQ(features->rows.sizes(), at::IntArrayRef({998, 4}));
  EXPECT_FALSE(features->labels.defined());
  ASSERT_EQ(features->indices.size(), 998);
  for (int64_t i = 0; i < 998; ++i) {
    const int64_t index = features->indices[i];
    EXPECT_EQ(index, i < 500 ? i + 1 : i + 2);
    EXPECT_NEAR(features->rows[i][3].item<float>(), index % 256 / 255.f, 1e-6);
  }
  EXPECT_EQ(damaged.list().size(), 2);
  EXPECT_EQ(
      PixelFeatures(source, {1000, 1001}, 2, 1, &damaged).status(),
      absl::DataLossError("none of the 2 images to evaluate on can be read"));
}

// What it was given, in calls of as many images as pixels allow.
class CountingBackbone final : public Backbone {
 public:
  at::Tensor forward(const at::Tensor& x) override {
    EXPECT_FALSE(at::GradMode::is_enabled());
    images.push_back(x.size(0));
    return x.mean({2, 3});
  }
  int64_t feature_dim() const override { return 1; }
  torch::nn::Module& module() override { std::abort(); }

  std::vector<int64_t> images;
};

TEST(FeaturesTest, TakesSomeLargeImagesAtATime) {
  ImageSet set{50, 1, 32, 32, {}, {}};
  for (int i = 0; i < set.count * 32 * 32; ++i) {
    set.pixels.push_back(i / (32 * 32));
  }
  const ImageSetSource source(set, "test");
  DamagedImages damaged(0);
  EvaluationOptions options;
  for (const auto& [side, want] :
       {std::pair<int64_t, std::vector<int64_t>>{224, {20, 20, 10}},
        {32, {50}}}) {
    options.side = side;
    EvaluationImages images(&source, options, &damaged);
    EvaluationBatch batch;
    ASSERT_EQ(images.Read(EvenlySpaced(50, 0), &batch), absl::OkStatus());
    CountingBackbone backbone;
    const at::Tensor rows =
        FeaturesOfBatch(backbone, images, batch, c10::Device(c10::kCPU));
    EXPECT_EQ(backbone.images, want);
    ASSERT_EQ(rows.sizes(), at::IntArrayRef({50, 1}));
    for (int i = 0; i < 50; ++i) {
      EXPECT_NEAR(rows[i].item<float>(), i / 255.f, 1e-6);
    }
  }
}

// BatchNorm must use its running statistics, whatever mode training left, or
// an image's features would depend on its neighbors in the block.
TEST(FeaturesTest, EvaluatesInEvaluationModeAndRestores) {
  at::manual_seed(0);
  const std::shared_ptr<Backbone> net =
      MakeBackbone(ResNetOptionsFor("resnet_small",
                                    ResNetOptions::Stem::kSmallStride2, 1)
                       .value())
          .value();
  ImageSet images{600, 1, 8, 8, {}, {}};  // more than a block of 500
  for (int i = 0; i < 600 * 64; ++i) images.pixels.push_back(i * 37 % 256);
  EvaluationOptions options;
  options.stats = MeasureChannels(images);
  const ImageSetSource source(images, "test");
  DamagedImages damaged(0);
  SetModuleTraining(net->module(), true);
  const absl::StatusOr<Features> all =
      BackboneFeatures(*net, source, EvenlySpaced(600, 0), options,
                       c10::Device(c10::kCPU), &damaged);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(IsModuleTraining(net->module()));
  EXPECT_EQ(all->rows.sizes(), at::IntArrayRef({600, net->feature_dim()}));
  EXPECT_FALSE(all->rows.requires_grad());
  const absl::StatusOr<Features> some = BackboneFeatures(
      *net, source, {0, 1, 2}, options, c10::Device(c10::kCPU), &damaged);
  EXPECT_LT((all->rows.narrow(0, 0, 3) - some->rows).abs().max().item<float>(),
            1e-5f);
  at::Tensor batches;
  for (const auto& [name, tensor] : ModuleState("", net->module())) {
    if (name == "bn1.num_batches_tracked") batches = tensor;
  }
  ASSERT_TRUE(batches.defined());
  EXPECT_EQ(batches.item<int64_t>(), 0);
}

TEST(FeaturesTest, ImagesThatTheNetworkDoesNotTake) {
  VitOptions small;
  small.image_size = 8;
  small.patch_size = 4;
  small.layers = 1;
  small.in_channels = 1;
  const std::shared_ptr<Backbone> net = MakeBackbone(small).value();
  const ImageSetSource source(ImageSet{1, 1, 6, 8, std::vector<uint8_t>(48)},
                              "test");
  DamagedImages damaged(0);
  EvaluationOptions options;
  const auto features_of = [&] {
    return BackboneFeatures(*net, source, {0}, options, c10::Device(c10::kCPU),
                            &damaged)
        .status();
  };
  EXPECT_EQ(features_of(), net->CheckImageSize(6, 8));
  EXPECT_FALSE(features_of().ok());
  options.side = 12;
  EXPECT_TRUE(features_of().ok()) << features_of();
}

}  // namespace
}  // namespace gsg
