#include "trainers/augment/options.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

// The message for options changed by `change`.
std::string Message(const std::function<void(AugmentOptions*)>& change,
                    int channels = 3) {
  AugmentOptions options;
  change(&options);
  const absl::Status status = Validate(options, channels);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(AugmentOptionsTest, DefaultsAreValid) {
  EXPECT_TRUE(Validate(AugmentOptions(), 1).ok());
  EXPECT_TRUE(Validate(AugmentOptions(), 3).ok());
}

TEST(AugmentOptionsTest, EveryRangeIsChecked) {
  EXPECT_EQ(Message([](auto* o) { o->size = 0; }),
            "augmentation: size = 0, expected a value in [1, 4096]");
  EXPECT_EQ(Message([](auto* o) { o->crop_scale_max = 1.5; }),
            "augmentation: crop_scale_min = 0.2, crop_scale_max = 1.5, "
            "expected 0 < min <= max <= 1");
  EXPECT_EQ(Message([](auto* o) { o->crop_ratio_min = 2; }),
            "augmentation: crop_ratio_min = 2, crop_ratio_max = 1.33333, "
            "expected 0 < min <= max");
  EXPECT_EQ(Message([](auto* o) { o->hue = 0.6; }),
            "augmentation: hue = 0.6, expected a value in [0, 0.5]");
  EXPECT_EQ(Message([](auto* o) { o->brightness = -1; }),
            "augmentation: brightness = -1, expected a finite value of at "
            "least 0");
  EXPECT_EQ(Message([](auto* o) { o->contrast = std::nan(""); }),
            "augmentation: contrast = nan, expected a finite value of at "
            "least 0");
  for (double AugmentOptions::*prob :
       {&AugmentOptions::hflip_prob, &AugmentOptions::vflip_prob,
        &AugmentOptions::rotate_prob, &AugmentOptions::jitter_prob,
        &AugmentOptions::grayscale_prob, &AugmentOptions::blur_prob,
        &AugmentOptions::solarize_prob}) {
    for (double bad : {-0.1, 1.1, std::nan("")}) {
      Message([&](auto* o) { o->*prob = bad; });
    }
  }
  for (double AugmentOptions::*strength :
       {&AugmentOptions::saturation, &AugmentOptions::gamma,
        &AugmentOptions::tone_curve, &AugmentOptions::contrast,
        &AugmentOptions::brightness}) {
    Message([&](auto* o) {
      o->*strength = std::numeric_limits<double>::infinity();
    });
  }
}

TEST(AugmentOptionsTest, ChannelsAreChecked) {
  EXPECT_EQ(Message([](auto*) {}, 0), "augmentation: images of 0 channels");
  EXPECT_EQ(Message([](auto* o) { o->mean = {0.5f}; }),
            "augmentation: 1 means and 0 standard deviations for images of 3 "
            "channels, expected one of each per channel");
  EXPECT_EQ(Message(
                [](auto* o) {
                  o->mean = {0.5f};
                  o->std = {0.f};
                },
                1),
            "augmentation: std = 0, expected a finite value above 0");
}

TEST(AugmentOptionsTest, BlurIsCheckedOnlyIfItCanHappen) {
  AugmentOptions options;
  options.blur_sigma_min = 0;
  options.blur_kernel = 4;
  EXPECT_TRUE(Validate(options, 1).ok());

  EXPECT_EQ(Message([](auto* o) {
              o->blur_prob = 0.5;
              o->blur_sigma_min = 0;
            }),
            "augmentation: blur_sigma_min = 0, blur_sigma_max = 2, expected "
            "0 < min <= max");
  EXPECT_EQ(Message([](auto* o) {
              o->blur_prob = 0.5;
              o->blur_kernel = 4;
            }),
            "augmentation: blur_kernel = 4, expected an odd number from 3, or "
            "0 for a tenth of the size");
  EXPECT_EQ(Message([](auto* o) {
              o->blur_prob = 0.5;
              o->size = 8;
              o->blur_kernel = 17;
            }),
            "augmentation: a blur kernel of 17 pixels needs a size of at "
            "least 9 to reflect at the border, size = 8");
}

TEST(AugmentOptionsTest, DefaultBlurKernelIsATenthOfTheSize) {
  AugmentOptions options;
  options.size = 224;
  EXPECT_EQ(BlurKernel(options), 23);
  options.size = 32;
  EXPECT_EQ(BlurKernel(options), 3);
  options.size = 8;
  EXPECT_EQ(BlurKernel(options), 3);
  options.blur_kernel = 7;
  EXPECT_EQ(BlurKernel(options), 7);
}

}  // namespace
}  // namespace gsg
