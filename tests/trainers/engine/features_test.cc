#include "trainers/engine/features.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>

#include <cmath>

#include "gtest/gtest.h"
#include "models/resnet.h"
#include "trainers/data/image_set.h"

namespace gsg {
namespace {

// Two images of 2x1 pixels with two channels.
ImageSet TwoImages() {
  return {2, 2, 2, 1, {0, 255, 51, 51, 255, 0, 51, 51}, {4, 9}};
}

TEST(FeaturesTest, ChannelsByHand) {
  const ChannelStats stats = MeasureChannels(TwoImages());
  EXPECT_DOUBLE_EQ(stats.mean[0], 0.5);
  EXPECT_DOUBLE_EQ(stats.std[0], 0.5);
  EXPECT_NEAR(stats.mean[1], 0.2, 1e-15);
  EXPECT_EQ(stats.std[1], 1);  // constant: shifted, not scaled
}

TEST(FeaturesTest, NormalisedPixelsAreInChannelOrder) {
  const ImageSet images = TwoImages();
  const at::Tensor x = NormalizedImages(images, {{0.5, 0.2}, {0.5, 1}}, 1, 1);
  EXPECT_EQ(x.sizes(), at::IntArrayRef({1, 2, 2, 1}));
  const at::Tensor want = at::tensor({1.f, -1.f, 0.f, 0.f});
  EXPECT_LT((x.flatten() - want).abs().max().item<float>(), 1e-7f);
}

TEST(FeaturesTest, RawPixelsAndLabels) {
  const ImageSet images = TwoImages();
  const at::Tensor want =
      at::tensor({0.f, 1.f, 0.2f, 0.2f, 1.f, 0.f, 0.2f, 0.2f}).view({2, 4});
  EXPECT_LT((PixelFeatures(images) - want).abs().max().item<float>(), 1e-7f);
  EXPECT_TRUE(at::equal(Labels(images, 0), at::tensor({4, 9}, at::kLong)));
  EXPECT_TRUE(at::equal(Labels(images, 1), at::tensor({4}, at::kLong)));
}

// BatchNorm must use its running statistics, whatever mode training left, or
// an image's features would depend on its neighbours in the block.
TEST(FeaturesTest, EvaluatesInEvaluationModeAndRestores) {
  at::manual_seed(0);
  ResNet net =
      MakeResNet(ResNetOptionsFor("resnet_small",
                                  ResNetOptions::Stem::kSmallStride2, 1)
                     .value())
          .value();
  ImageSet images{600, 1, 8, 8, {}, {}};  // more than a block of 500
  for (int i = 0; i < 600 * 64; ++i) images.pixels.push_back(i * 37 % 256);
  const ChannelStats stats = MeasureChannels(images);
  net->train();
  const at::Tensor all =
      BackboneFeatures(net, images, stats, 0, c10::Device(c10::kCPU));
  EXPECT_TRUE(net->is_training());
  EXPECT_EQ(all.sizes(), at::IntArrayRef({600, net->feature_dim()}));
  EXPECT_FALSE(all.requires_grad());
  const at::Tensor some =
      BackboneFeatures(net, images, stats, 3, c10::Device(c10::kCPU));
  EXPECT_LT((all.narrow(0, 0, 3) - some).abs().max().item<float>(), 1e-5f);
  EXPECT_EQ(net->named_buffers()["bn1.num_batches_tracked"].item<int64_t>(), 0);
}

}  // namespace
}  // namespace gsg
