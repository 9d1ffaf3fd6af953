// The augmentation kernel, run by a host that emulates its threads, against the
// Augmenter of the CPU, and the errors of both sides.
#include "tests/cuda/emulated_augment.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/augment.h"
#include "cuda/internal/augment_args.h"
#include "cuda/internal/augment_plan.h"
#include "gsg_core/half.h"
#include "gtest/gtest.h"
#include "pixels/params.h"
#include "tests/cuda/augment_checks.h"
#include "tests/gsg_core/test_util.h"

namespace gsg::cuda::internal {
namespace {

constexpr auto kPlanes = PixelOrder::kPlanes;
constexpr auto kChannelsLast = PixelOrder::kChannelsLast;

ImageArray ImagesOf(const AugmentBatch& batch) {
  return {batch.images.data(), AugmentBatch::kImages, batch.shape.channels,
          batch.shape.height, batch.shape.width};
}

template <typename T>
std::vector<T> Augmented(const AugmentBatch& batch, uint32_t* faults) {
  // In the middle of other memory, which nothing may touch.
  constexpr size_t kMargin = 8;
  std::vector<T> out(batch.expected.size() + 2 * kMargin, T(77.f));
  std::vector<float> workspace(
      AugmentWorkspaceBytes(ImagesOf(batch), batch.settings(), batch.views()) /
      sizeof(float));
  const auto args =
      PlanAugment(ImagesOf(batch), batch.settings(), batch.index.data(),
                  batch.params.data(), batch.views(), out.data() + kMargin,
                  workspace.empty() ? nullptr : workspace.data(), faults);
  EXPECT_TRUE(args.ok()) << args.status();
  Emulate(*args);
  for (size_t k = 0; k < kMargin; ++k) {
    EXPECT_EQ(static_cast<float>(out[k]), 77);
    EXPECT_EQ(static_cast<float>(out[out.size() - 1 - k]), 77);
  }
  return std::vector<T>(out.begin() + kMargin, out.end() - kMargin);
}

template <typename T>
class EmulatedAugmentTest : public testing::Test {};
using ElementTypes = testing::Types<float, Half, BFloat16>;
TYPED_TEST_SUITE(EmulatedAugmentTest, ElementTypes);

TYPED_TEST(EmulatedAugmentTest, MatchesTheCpu) {
  const AugmentCase cases[] = {
      {3, 32, 32, 32, kPlanes},  // CIFAR
      {3, 32, 32, 32, kChannelsLast},
      {1, 28, 28, 28, kPlanes},  // MNIST
      {1, 28, 28, 28, kChannelsLast},
      {3, 96, 96, 24, kChannelsLast},  // much smaller
      {3, 9, 13, 31, kPlanes},         // larger; odd, so nothing is aligned
      {3, 40, 50, 90, kPlanes},        // in the workspace
      {3, 5, 4, 1, kPlanes},           // one pixel
      {1, 1, 1, 3, kPlanes},           // of one pixel
  };
  for (const AugmentCase& shape : cases) {
    SCOPED_TRACE(testing::Message()
                 << shape.channels << " x " << shape.height << " x "
                 << shape.width << " to " << shape.size);
    const AugmentBatch batch = MakeAugmentBatch(shape, 40, TestSeed());
    uint32_t faults = 0;
    CheckViews(batch, Augmented<TypeParam>(batch, &faults));
    EXPECT_EQ(faults, 0u);
  }
}

TEST(EmulatedAugmentErrorsTest, ViewsThatLieOutsideAreBlackAndReported) {
  AugmentBatch batch = MakeAugmentBatch({3, 8, 8, 8, kPlanes}, 8, TestSeed());
  batch.index[0] = -1;
  batch.index[1] = AugmentBatch::kImages;
  batch.params[2].crop_top = 8;
  batch.params[3].crop_left = -1;
  batch.params[4].crop_width = 1 << 30;
  batch.params[5].crop_height = 0;
  batch.params[6].crop_top = INT32_MAX;
  uint32_t faults = 0;
  const std::vector<float> out = Augmented<float>(batch, &faults);
  const size_t view = 3 * 8 * 8;
  for (size_t k = 0; k < 7 * view; ++k) ASSERT_EQ(out[k], 0);
  for (size_t k = 7 * view; k < out.size(); ++k) {
    ASSERT_NEAR(out[k], batch.expected[k], 1e-3);
  }
  EXPECT_EQ(AugmentFaults(faults).message(),
            "index or params: a view's index was not an image, or its crop did "
            "not lie in it");
  EXPECT_TRUE(AugmentFaults(0).ok());
}

TEST(EmulatedAugmentErrorsTest, NamesTheArgument) {
  const AugmentBatch batch =
      MakeAugmentBatch({3, 8, 8, 8, kPlanes}, 2, TestSeed());
  std::vector<float> out(batch.expected.size());
  uint32_t faults = 0;
  const auto error = [&](const ImageArray& images,
                         const AugmentSettings& settings,
                         const int64_t* index) {
    return std::string(PlanAugment(images, settings, index, batch.params.data(),
                                   2, out.data(), nullptr, &faults)
                           .status()
                           .message());
  };
  const ImageArray good = ImagesOf(batch);
  EXPECT_EQ(error(good, batch.settings(), batch.index.data()), "");
  ImageArray images = good;
  images.channels = 2;
  EXPECT_EQ(error(images, batch.settings(), batch.index.data()),
            "images have 2 channels; they must have 1 or 3");
  images = good;
  images.width = 0;
  EXPECT_EQ(error(images, batch.settings(), batch.index.data()),
            "images are 5 of 8 x 0; there must be at least one pixel");
  AugmentSettings settings = batch.settings();
  settings.blur_kernel = 17;
  EXPECT_EQ(error(good, settings, batch.index.data()),
            "settings.blur_kernel is 17 at a size of 8; it must be odd, and "
            "half of it less than the size");
  settings = batch.settings();
  settings.std[1] = 0;
  EXPECT_EQ(error(good, settings, batch.index.data()),
            "settings.mean[1] is 0.45 and settings.std[1] 0; both must be "
            "finite, and the latter above 0");
  settings = batch.settings();
  settings.size = 4097;
  EXPECT_EQ(error(good, settings, batch.index.data()),
            "settings.size is 4097; it must be in 1..4096");
  EXPECT_EQ(error(good, batch.settings(), nullptr),
            "index is null; it must be given");
  settings = batch.settings();
  settings.size = 100;
  EXPECT_EQ(error(good, settings, batch.index.data()),
            "workspace is null; views of 100 x 100 take AugmentWorkspaceBytes");
}

}  // namespace
}  // namespace gsg::cuda::internal
