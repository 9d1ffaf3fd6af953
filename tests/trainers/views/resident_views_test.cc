#include "trainers/views/resident_views.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "trainers/augment/options.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/views/loaded_views.h"
#include "trainers/views/loader.h"
#include "trainers/views/view_source.h"

namespace gsg {
namespace {

const c10::Device kCpu(c10::kCPU);

ImageSet Images() {
  ImageSet images{11, 3, 9, 7, {}, {}};
  for (int i = 0; i < 11 * 3 * 9 * 7; ++i) {
    images.pixels.push_back(i * 37 % 251);
  }
  return images;
}

// Everything is drawn.
AugmentOptions Augmentation(int64_t size) {
  AugmentOptions options;
  options.size = size;
  options.hflip_prob = 0.5;
  options.jitter_prob = 0.8;
  options.brightness = options.contrast = options.saturation = 0.4;
  options.hue = 0.1;
  options.grayscale_prob = 0.2;
  options.blur_prob = 0.5;
  options.solarize_prob = 0.2;
  options.mean = {0.5, 0.4, 0.3};
  options.std = {0.2, 0.3, 0.4};
  return options;
}

LoaderOptions Options() {
  LoaderOptions options;
  options.batch_size = 4;
  options.parts = 2;
  options.part = 1;
  options.local_views = 3;
  options.local_augment = Augmentation(6);
  options.seed = 5;
  return options;
}

// With the CPU's augmentation the views are the loader's, bit for bit.
TEST(ResidentViewsTest, AreTheLoaders) {
  const ImageSetSource source(Images(), "train");
  DamagedImages damaged(0);
  LoadedViews loaded(
      BatchLoader::Create(&source, Augmentation(8), Options(), &damaged)
          .value(),
      kCpu);
  const std::unique_ptr<ResidentViews> resident =
      ResidentViews::Create(Images(), Augmentation(8), Options(), kCpu,
                            &AugmentOnCpu)
          .value();
  ASSERT_EQ(resident->batches_per_epoch(), 2);
  ASSERT_EQ(loaded.batches_per_epoch(), 2);
  // A whole epoch, then another from its second batch on.
  for (const auto& [epoch, first_batch] : {std::pair(0, 0), std::pair(3, 1)}) {
    loaded.StartEpoch(epoch, first_batch);
    resident->StartEpoch(epoch, first_batch);
    StepViews want, got;
    for (int batch = first_batch; batch < 2; ++batch) {
      ASSERT_TRUE(*loaded.Next(&want) && *resident->Next(&got));
      EXPECT_EQ(got.global.images(), 2);
      EXPECT_EQ(got.global.count, 2);
      EXPECT_EQ(want.global.count, 2);
      EXPECT_TRUE(at::equal(got.global.pixels, want.global.pixels));
      EXPECT_TRUE(
          got.global.pixels.is_contiguous(at::MemoryFormat::ChannelsLast));
      EXPECT_EQ(got.local.count, 3);
      EXPECT_EQ(want.local.count, 3);
      EXPECT_TRUE(at::equal(got.local.pixels, want.local.pixels));
    }
    EXPECT_FALSE(*loaded.Next(&want) || *resident->Next(&got));
  }
}

TEST(ResidentViewsTest, Errors) {
  const std::unique_ptr<ResidentViews> views =
      ResidentViews::Create(Images(), Augmentation(8), Options(), kCpu,
                            &AugmentOnCpu)
          .value();
  StepViews batch;
  EXPECT_TRUE(absl::IsFailedPrecondition(views->Next(&batch).status()));
  views->StartEpoch(0, 3);
  EXPECT_EQ(
      views->Next(&batch).status(),
      absl::OutOfRangeError("loader: first batch 3 of an epoch of 2 batches"));
  LoaderOptions options = Options();
  options.batch_size = 12;
  EXPECT_TRUE(absl::IsInvalidArgument(
      ResidentViews::Create(Images(), Augmentation(8), options, kCpu,
                            &AugmentOnCpu)
          .status()));
}

}  // namespace
}  // namespace gsg
