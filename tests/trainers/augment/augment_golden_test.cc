// Augmenter against torchvision's numbers (golden/README.md).

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainers/augment/formula_image.h"
#include "tests/trainers/augment/golden/goldens.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"

namespace gsg {
namespace {

// Both sides compute in float32, eps = 6e-8. torchvision also computes the
// filter's centers in float: off by up to 28 pixels * eps = 2e-6, which moves
// a weight, and so a pixel in [0, 1], by as much. The color operations
// multiply that by at most 1.4 each, and add a few eps.
constexpr float kTolerance = 4e-6f;

constexpr auto kBrightness = JitterOp::kBrightness;
constexpr auto kContrast = JitterOp::kContrast;
constexpr auto kSaturation = JitterOp::kSaturation;
constexpr auto kHue = JitterOp::kHue;

AugmentOptions Size5() {
  AugmentOptions options;
  options.size = 5;
  return options;
}

AugmentParams CropAt(int top, int left, int height, int width) {
  AugmentParams params;
  params.crop_top = top;
  params.crop_left = left;
  params.crop_height = height;
  params.crop_width = width;
  return params;
}

// The crop that the cases below the resizing ones start from.
AugmentParams Base() { return CropAt(1, 2, 7, 6); }

template <size_t N>
void ExpectGolden(const AugmentOptions& options, const AugmentParams& params,
                  const float (&golden)[N], float tolerance = kTolerance) {
  constexpr int kChannels = N / 25;
  static_assert(N % 25 == 0 && (kChannels == 1 || kChannels == 3));
  const std::vector<uint8_t> image = FormulaImage(kChannels, 12, 10);
  std::vector<float> out(N);
  Augmenter(options).Apply(image.data(), kChannels, 12, 10, params, out.data());
  for (size_t i = 0; i < N; ++i) {
    EXPECT_NEAR(out[i], golden[i], tolerance)
        << "channel " << i / 25 << " row " << i / 5 % 5 << " column " << i % 5;
  }
}

TEST(AugmentGoldenTest, Upsample) {
  ExpectGolden(Size5(), CropAt(2, 3, 3, 4), kUpsample);
}

TEST(AugmentGoldenTest, DownsampleIsAntialiased) {
  ExpectGolden(Size5(), CropAt(1, 0, 11, 9), kDownsample);
}

TEST(AugmentGoldenTest, UpsampleRowsDownsampleColumns) {
  ExpectGolden(Size5(), CropAt(8, 1, 4, 9), kMixed);
}

TEST(AugmentGoldenTest, Gray24WithFlip) {
  AugmentOptions options;
  options.size = 24;
  AugmentParams params = CropAt(3, 4, 25, 22);
  params.flip = true;
  const std::vector<uint8_t> image = FormulaImage(1, 28, 28);
  std::vector<float> out(24 * 24);
  Augmenter(options).Apply(image.data(), 1, 28, 28, params, out.data());
  for (int i = 0; i < 24; ++i) {
    EXPECT_NEAR(out[25 * i], kGray24Diagonal[i], kTolerance) << i;
  }
}

TEST(AugmentGoldenTest, Brightness) {
  AugmentParams params = Base();
  params.brightness = 1.4f;
  ExpectGolden(Size5(), params, kBrightnessUp);
}

TEST(AugmentGoldenTest, Contrast) {
  AugmentParams params = Base();
  params.contrast = 0.6f;
  ExpectGolden(Size5(), params, kContrastDown);
  params.contrast = 1.4f;
  ExpectGolden(Size5(), params, kContrastUp);
}

TEST(AugmentGoldenTest, Saturation) {
  AugmentParams params = Base();
  params.saturation = 0.6f;
  ExpectGolden(Size5(), params, kSaturationDown);
  params.saturation = 1.4f;
  ExpectGolden(Size5(), params, kSaturationUp);
}

TEST(AugmentGoldenTest, Hue) {
  AugmentParams params = Base();
  params.hue = 0.4f;
  ExpectGolden(Size5(), params, kHueForward);
  params.hue = -0.1f;
  ExpectGolden(Size5(), params, kHueBack);
}

TEST(AugmentGoldenTest, Gamma) {
  AugmentParams params = Base();
  params.gamma = 1.5f;
  ExpectGolden(Size5(), params, kGamma);
}

TEST(AugmentGoldenTest, Grayscale) {
  AugmentParams params = Base();
  params.grayscale = true;
  ExpectGolden(Size5(), params, kGrayscale);
}

TEST(AugmentGoldenTest, Blur) {
  AugmentOptions options = Size5();
  options.blur_kernel = 3;
  AugmentParams params = Base();
  params.blur_sigma = 0.8f;
  ExpectGolden(options, params, kBlur3);
  options.blur_kernel = 5;
  params.blur_sigma = 1.7f;
  ExpectGolden(options, params, kBlur5);
}

TEST(AugmentGoldenTest, Solarize) {
  AugmentParams params = Base();
  params.solarize = true;
  ExpectGolden(Size5(), params, kSolarize);
}

TEST(AugmentGoldenTest, Composed) {
  AugmentOptions options = Size5();
  options.mean = {0.5f, 0.4f, 0.3f};
  options.std = {0.25f, 0.2f, 0.5f};
  // Divided by a standard deviation of at least 0.2.
  constexpr float kNormalized = 5 * kTolerance;

  AugmentParams params = Base();
  params.jitter_order = {kHue, kContrast, kSaturation, kBrightness};
  params.hue = 0.1f;
  params.contrast = 1.3f;
  params.saturation = 0.7f;
  params.brightness = 1.2f;
  params.blur_sigma = 0.5f;
  params.solarize = true;
  params.flip = true;
  ExpectGolden(options, params, kComposed, kNormalized);

  params = Base();
  params.jitter_order = {kBrightness, kSaturation, kHue, kContrast};
  params.brightness = 0.8f;
  params.saturation = 1.4f;
  params.hue = -0.05f;
  params.contrast = 0.7f;
  params.gamma = 0.8f;
  params.grayscale = true;
  params.blur_sigma = 1.5f;
  ExpectGolden(options, params, kComposedGray, kNormalized);
}

TEST(AugmentGoldenTest, OneChannelIgnoresSaturationHueAndGray) {
  AugmentOptions options = Size5();
  options.mean = {0.3f};
  options.std = {0.5f};
  AugmentParams params = CropAt(0, 3, 10, 7);
  params.jitter_order = {kContrast, kHue, kBrightness, kSaturation};
  params.contrast = 0.7f;
  params.hue = 0.3f;
  params.brightness = 1.3f;
  params.saturation = 0.2f;
  params.grayscale = true;
  params.blur_sigma = 1;
  ExpectGolden(options, params, kOneChannel, 2 * kTolerance);
}

}  // namespace
}  // namespace gsg
