// Properties of Augmenter that need no outside numbers.

#include "trainers/augment/augment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainers/augment/formula_image.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"

namespace gsg {
namespace {

AugmentOptions Sized(int64_t size) {
  AugmentOptions options;
  options.size = size;
  return options;
}

std::vector<float> Apply(const AugmentOptions& options,
                         const std::vector<uint8_t>& image, int channels,
                         int height, int width, const AugmentParams& params) {
  std::vector<float> out(channels * options.size * options.size);
  Augmenter(options).Apply(image.data(), channels, height, width, params,
                           out.data());
  return out;
}

TEST(AugmenterTest, PlainAtEqualSizeIsTheImage) {
  const std::vector<uint8_t> image = FormulaImage(3, 9, 9);
  const std::vector<float> out =
      Apply(Sized(9), image, 3, 9, 9, PlainParams(9, 9));
  for (size_t i = 0; i < image.size(); ++i) {
    EXPECT_FLOAT_EQ(out[i], image[i] / 255.f) << i;
  }
}

TEST(AugmenterTest, Normalizes) {
  AugmentOptions options = Sized(2);
  options.mean = {0.2f};
  options.std = {0.4f};
  const std::vector<float> out =
      Apply(options, {0, 51, 153, 255}, 1, 2, 2, PlainParams(2, 2));
  EXPECT_FLOAT_EQ(out[0], -0.5f);
  EXPECT_NEAR(out[1], 0, 1e-7);
  EXPECT_FLOAT_EQ(out[2], 1);
  EXPECT_FLOAT_EQ(out[3], 2);
}

// By hand: 1 x 2 pixels (0, 255) to 4 columns at centers 0.25, 0.75, 1.25 and
// 1.75, with the pixels' centers at 0.5 and 1.5.
TEST(AugmenterTest, UpsamplingIsBilinear) {
  AugmentParams params = PlainParams(2, 2);
  const std::vector<float> out =
      Apply(Sized(4), {0, 255, 0, 255}, 1, 2, 2, params);
  const float expected[] = {0, 0.25f, 0.75f, 1};
  for (int i = 0; i < 16; ++i) EXPECT_FLOAT_EQ(out[i], expected[i % 4]) << i;
}

// By hand: 4 pixels to 1, a triangle of half-width 4 around 2: weights
// 1 - 1.5/4, 1 - 0.5/4, ... = 5, 7, 7, 5 of 24.
TEST(AugmenterTest, DownsamplingIsATriangle) {
  std::vector<uint8_t> image(16);
  for (int y = 0; y < 4; ++y) image[4 * y] = 255;
  const std::vector<float> out =
      Apply(Sized(1), image, 1, 4, 4, PlainParams(4, 4));
  EXPECT_FLOAT_EQ(out[0], 5.f / 24);
}

TEST(AugmenterTest, ConstantImagesStayConstant) {
  for (int size : {1, 2, 7, 24, 33}) {
    for (int crop : {1, 2, 5, 19, 40}) {
      AugmentParams params;
      params.crop_top = params.crop_left = 1;
      params.crop_height = crop;
      params.crop_width = 41 - crop;
      const std::vector<float> out = Apply(
          Sized(size), std::vector<uint8_t>(42 * 42, 100), 1, 42, 42, params);
      for (float x : out) ASSERT_NEAR(x, 100 / 255.f, 1e-6) << size << crop;
    }
  }
}

// Bytes around the crop are set to another value: none may leak in.
TEST(AugmenterTest, ReadsOnlyTheCrop) {
  std::vector<uint8_t> image(20 * 20, 255);
  for (int y = 6; y < 6 + 9; ++y) {
    std::fill_n(image.begin() + 20 * y + 3, 11, 0);
  }
  AugmentParams params;
  params.crop_top = 6;
  params.crop_left = 3;
  params.crop_height = 9;
  params.crop_width = 11;
  for (int size : {4, 10, 30}) {
    for (float x : Apply(Sized(size), image, 1, 20, 20, params)) {
      ASSERT_EQ(x, 0) << size;
    }
  }
}

// Contrast turns from the mean of all values; there are no colors to change.
TEST(AugmenterTest, BandsAreNoColors) {
  const std::vector<uint8_t> image = FormulaImage(5, 9, 9);
  AugmentParams params = PlainParams(9, 9);
  params.contrast = 0.5f;
  params.saturation = 0.1f;
  params.hue = 0.3f;
  params.grayscale = true;
  const std::vector<float> out = Apply(Sized(9), image, 5, 9, 9, params);
  double mean = 0;
  for (const uint8_t value : image) mean += value / 255. / image.size();
  for (size_t i = 0; i < image.size(); ++i) {
    EXPECT_NEAR(out[i], 0.5 * image[i] / 255 + 0.5 * mean, 1e-6) << i;
  }
}

TEST(AugmenterTest, FlipMirrorsEverything) {
  AugmentOptions options = Sized(12);
  AugmentParams params = PlainParams(16, 16);
  params.brightness = 1.2f;
  params.contrast = 0.7f;
  params.saturation = 1.3f;
  params.hue = 0.2f;
  params.blur_sigma = 1;
  const std::vector<uint8_t> image = FormulaImage(3, 16, 16);
  const std::vector<float> plain = Apply(options, image, 3, 16, 16, params);
  params.flip = true;
  const std::vector<float> flipped = Apply(options, image, 3, 16, 16, params);
  EXPECT_NE(plain, flipped);
  for (int row = 0; row < 3 * 12; ++row) {
    for (int x = 0; x < 12; ++x) {
      EXPECT_NEAR(flipped[row * 12 + x], plain[row * 12 + 11 - x], 1e-6);
    }
  }
}

// Each orientation against the definition: mirrored left to right, then top to
// bottom, then transposed.
TEST(AugmenterTest, OrientationsByHand) {
  constexpr int kSize = 12;
  AugmentParams params = PlainParams(16, 16);
  params.brightness = 1.2f;
  params.contrast = 0.7f;
  params.blur_sigma = 1;
  const std::vector<uint8_t> image = FormulaImage(3, 16, 16);
  const std::vector<float> plain =
      Apply(Sized(kSize), image, 3, 16, 16, params);
  for (int k = 0; k < 8; ++k) {
    params.flip = k % 2 == 1;
    params.vertical_flip = k / 2 % 2 == 1;
    params.transpose = k / 4 == 1;
    const std::vector<float> turned =
        Apply(Sized(kSize), image, 3, 16, 16, params);
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < kSize; ++y) {
        for (int x = 0; x < kSize; ++x) {
          int from_y = params.transpose ? x : y;
          int from_x = params.transpose ? y : x;
          if (params.vertical_flip) from_y = kSize - 1 - from_y;
          if (params.flip) from_x = kSize - 1 - from_x;
          ASSERT_NEAR(turned[(c * kSize + y) * kSize + x],
                      plain[(c * kSize + from_y) * kSize + from_x], 1e-6)
              << k;
        }
      }
    }
  }
}

TEST(AugmenterTest, JitterOrderMatters) {
  AugmentOptions options = Sized(8);
  AugmentParams params = PlainParams(8, 8);
  params.brightness = 1.4f;
  params.contrast = 1.4f;
  const std::vector<uint8_t> image = FormulaImage(3, 8, 8);
  const std::vector<float> a = Apply(options, image, 3, 8, 8, params);
  std::swap(params.jitter_order[0], params.jitter_order[1]);
  EXPECT_NE(a, Apply(options, image, 3, 8, 8, params));
}

TEST(AugmenterTest, HueTurnsThroughTheCircle) {
  // Red, green and blue, a third of a turn apart; and gray, which has no hue.
  const std::vector<uint8_t> image = {255, 0,   0,   51,   // R
                                      0,   255, 0,   51,   // G
                                      0,   0,   255, 51};  // B
  AugmentParams params = PlainParams(2, 2);
  params.hue = 1.f / 3;
  const std::vector<float> out = Apply(Sized(2), image, 3, 2, 2, params);
  const float expected[] = {0, 0, 1, 0.2f, 1, 0, 0, 0.2f, 0, 1, 0, 0.2f};
  for (int i = 0; i < 12; ++i) EXPECT_NEAR(out[i], expected[i], 1e-6) << i;
}

TEST(AugmenterTest, HalfATurnIsTheSameBothWays) {
  const std::vector<uint8_t> image = FormulaImage(3, 16, 16);
  AugmentParams params = PlainParams(16, 16);
  params.hue = 0.5f;
  const std::vector<float> forward = Apply(Sized(16), image, 3, 16, 16, params);
  params.hue = -0.5f;
  const std::vector<float> back = Apply(Sized(16), image, 3, 16, 16, params);
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_NEAR(forward[i], back[i], 1e-6) << i;
  }
}

TEST(AugmenterTest, SolarizeKeepsBelowOneHalf) {
  AugmentParams params = PlainParams(2, 2);
  params.solarize = true;
  const std::vector<float> out =
      Apply(Sized(2), {0, 127, 128, 255}, 1, 2, 2, params);
  EXPECT_FLOAT_EQ(out[0], 0);
  EXPECT_FLOAT_EQ(out[1], 127 / 255.f);
  EXPECT_NEAR(out[2], 127 / 255.f, 1e-7);
  EXPECT_NEAR(out[3], 0, 1e-7);
}

TEST(AugmenterTest, ToneCurveByHand) {
  AugmentParams params = PlainParams(2, 2);
  params.tone_curve = {0, 0.8f, 0.2f, 0.6f, 0.4f};
  const std::vector<float> out =
      Apply(Sized(2), {0, 51, 153, 255}, 1, 2, 2, params);
  EXPECT_EQ(out[0], 0);
  EXPECT_NEAR(out[1], 0.64, 1e-6);  // 0.2: 4/5 of the way to 0.8
  EXPECT_NEAR(out[2], 0.36, 1e-6);  // 0.6: 2/5 of the way from 0.2 to 0.6
  EXPECT_NEAR(out[3], 0.4, 1e-6);   // 1: the last knot itself
}

// Whatever is drawn, pixels stay in [0, 1] up to rounding: clamped by every
// operation that could leave it.
TEST(AugmenterTest, PixelsStayInRange) {
  AugmentOptions options = Sized(16);
  options.jitter_prob = 0.9;
  options.brightness = options.contrast = options.saturation = 0.9;
  options.hue = 0.5;
  options.gamma = 1;
  options.tone_curve = 1;
  options.grayscale_prob = 0.2;
  options.blur_prob = 0.5;
  options.solarize_prob = 0.3;
  const std::vector<uint8_t> image = FormulaImage(3, 20, 20);
  Augmenter augmenter(options);
  std::vector<float> out(3 * 16 * 16);
  for (int i = 0; i < 500; ++i) {
    const AugmentParams params =
        SampleParams(options, /*seed=*/3, 0, i, 0, 20, 20);
    augmenter.Apply(image.data(), 3, 20, 20, params, out.data());
    for (float x : out) {
      ASSERT_GE(x, -1e-6) << "draw " << i;
      ASSERT_LE(x, 1 + 1e-6) << "draw " << i;
    }
  }
}

// Scratch of an earlier, larger image must not show.
TEST(AugmenterTest, ReuseChangesNothing) {
  const AugmentOptions options = Sized(10);
  const std::vector<uint8_t> large = FormulaImage(3, 50, 40);
  const std::vector<uint8_t> small = FormulaImage(3, 6, 7);
  Augmenter augmenter(options);
  std::vector<float> out(3 * 100);
  augmenter.Apply(large.data(), 3, 50, 40, PlainParams(50, 40), out.data());
  augmenter.Apply(small.data(), 3, 6, 7, PlainParams(6, 7), out.data());
  EXPECT_EQ(out, Apply(options, small, 3, 6, 7, PlainParams(6, 7)));
}

}  // namespace
}  // namespace gsg
