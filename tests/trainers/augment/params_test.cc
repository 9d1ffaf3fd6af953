#include "trainers/augment/params.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "gtest/gtest.h"
#include "trainers/augment/options.h"

namespace gsg {
namespace {

constexpr uint64_t kSeed = 20;
constexpr int kDraws = 20000;

AugmentOptions All() {
  AugmentOptions options;
  options.hflip_prob = 0.3;
  options.jitter_prob = 0.8;
  options.brightness = 0.4;
  options.contrast = 1.5;
  options.saturation = 0.2;
  options.hue = 0.1;
  options.gamma = 0.5;
  options.tone_curve = 0.6;
  options.grayscale_prob = 0.2;
  options.blur_prob = 0.5;
  options.solarize_prob = 0.1;
  return options;
}

AugmentParams Draw(const AugmentOptions& options, int64_t index, int height,
                   int width) {
  return SampleParams(options, kSeed, 0, index, 0, height, width);
}

bool SameCrop(const AugmentParams& a, const AugmentParams& b) {
  return a.crop_top == b.crop_top && a.crop_left == b.crop_left &&
         a.crop_height == b.crop_height && a.crop_width == b.crop_width;
}

class Range {
 public:
  void Add(double x) {
    low_ = std::min(low_, x);
    high_ = std::max(high_, x);
    sum_ += x;
    ++count_;
  }
  double low() const { return low_; }
  double high() const { return high_; }
  double mean() const { return sum_ / count_; }
  int count() const { return count_; }

 private:
  double low_ = 1e9, high_ = -1e9, sum_ = 0;
  int count_ = 0;
};

// Inside [low, high], within a hundredth of both ends, and the mean within 5
// standard errors of the middle.
void ExpectUniform(const Range& range, double low, double high) {
  const double width = high - low;
  EXPECT_GE(range.low(), low - 1e-6);
  EXPECT_LE(range.low(), low + 0.01 * width);
  EXPECT_LE(range.high(), high + 1e-6);
  EXPECT_GE(range.high(), high - 0.01 * width);
  EXPECT_NEAR(range.mean(), (low + high) / 2,
              5 * width / std::sqrt(12. * range.count()));
}

void ExpectRate(int count, double prob) {
  EXPECT_NEAR(count, prob * kDraws, 5 * std::sqrt(kDraws * prob * (1 - prob)));
}

// In a square image ratios of 3/4 to 4/3 always fit up to half the area, so no
// attempt is refused and torchvision's distributions come out whole.
TEST(SampleParamsTest, CropAreaAndRatioAreUniform) {
  AugmentOptions options;
  options.crop_scale_min = 0.1;
  options.crop_scale_max = 0.5;
  constexpr int kSide = 1000;
  Range area, log_ratio, top, left;
  for (int i = 0; i < kDraws; ++i) {
    const AugmentParams p = Draw(options, i, kSide, kSide);
    const double h = p.crop_height, w = p.crop_width;
    area.Add(h * w / (kSide * kSide));
    log_ratio.Add(std::log(w / h));
    top.Add(p.crop_top / (kSide - h));
    left.Add(p.crop_left / (kSide - w));
  }
  // Sides are rounded to pixels: 1/600 of the area, 1/300 of the ratio.
  const double slack = 2e-3;
  EXPECT_NEAR(area.low(), 0.1, slack);
  EXPECT_NEAR(area.high(), 0.5, slack);
  EXPECT_NEAR(area.mean(), 0.3, 5 * 0.4 / std::sqrt(12. * kDraws) + slack);
  EXPECT_NEAR(log_ratio.low(), std::log(3. / 4.), 2 * slack);
  EXPECT_NEAR(log_ratio.high(), std::log(4. / 3.), 2 * slack);
  EXPECT_NEAR(log_ratio.mean(), 0, 5 * 0.576 / std::sqrt(12. * kDraws));
  ExpectUniform(top, 0, 1);
  ExpectUniform(left, 0, 1);
}

TEST(SampleParamsTest, CropsLieInsideAndReachEveryBorder) {
  AugmentOptions options;
  bool whole_width = false, bottom = false, right = false;
  for (int i = 0; i < kDraws; ++i) {
    const AugmentParams p = Draw(options, i, 20, 13);
    ASSERT_GE(p.crop_top, 0);
    ASSERT_GE(p.crop_left, 0);
    ASSERT_GE(p.crop_height, 1);
    ASSERT_GE(p.crop_width, 1);
    ASSERT_LE(p.crop_top + p.crop_height, 20);
    ASSERT_LE(p.crop_left + p.crop_width, 13);
    whole_width |= p.crop_width == 13;
    bottom |= p.crop_top + p.crop_height == 20 && p.crop_top > 0;
    right |= p.crop_left + p.crop_width == 13 && p.crop_left > 0;
  }
  EXPECT_TRUE(whole_width && bottom && right);
}

// No crop of the whole area of a 40 x 10 image has an allowed ratio.
TEST(SampleParamsTest, FallsBackToTheLargestCentralCrop) {
  AugmentOptions options;
  options.crop_scale_min = 1;
  AugmentParams p = Draw(options, 0, 40, 10);
  EXPECT_EQ(p.crop_width, 10);
  EXPECT_EQ(p.crop_height, 13);  // 10 / (3/4) = 13.33
  EXPECT_EQ(p.crop_top, 13);     // (40 - 13) / 2
  EXPECT_EQ(p.crop_left, 0);
  p = Draw(options, 0, 10, 40);
  EXPECT_EQ(p.crop_width, 13);
  EXPECT_EQ(p.crop_height, 10);
  EXPECT_EQ(p.crop_left, 13);
  EXPECT_EQ(p.crop_top, 0);
}

TEST(SampleParamsTest, OnePixelImage) {
  const AugmentParams p = Draw(AugmentOptions(), 0, 1, 1);
  EXPECT_EQ(p.crop_height, 1);
  EXPECT_EQ(p.crop_width, 1);
}

TEST(SampleParamsTest, RatesAndRanges) {
  const AugmentOptions options = All();
  int flips = 0, grays = 0, blurs = 0, solarized = 0, jitters = 0;
  Range brightness, contrast, saturation, hue, log_gamma, sigma;
  for (int i = 0; i < kDraws; ++i) {
    const AugmentParams p = Draw(options, i, 32, 32);
    flips += p.flip;
    grays += p.grayscale;
    solarized += p.solarize;
    if (p.blur_sigma > 0) {
      ++blurs;
      sigma.Add(p.blur_sigma);
    }
    if (p.brightness != 1) {
      ++jitters;
      brightness.Add(p.brightness);
      contrast.Add(p.contrast);
      saturation.Add(p.saturation);
      hue.Add(p.hue);
      log_gamma.Add(std::log(p.gamma));
    } else {
      EXPECT_EQ(p.contrast, 1);
      EXPECT_EQ(p.saturation, 1);
      EXPECT_EQ(p.hue, 0);
      EXPECT_EQ(p.gamma, 1);
      EXPECT_EQ(p.tone_curve, kIdentityTone);
    }
  }
  ExpectRate(flips, 0.3);
  ExpectRate(jitters, 0.8);
  ExpectRate(grays, 0.2);
  ExpectRate(blurs, 0.5);
  ExpectRate(solarized, 0.1);
  ExpectUniform(brightness, 0.6, 1.4);
  ExpectUniform(contrast, 0, 2.5);  // the lower end is cut at 0
  ExpectUniform(saturation, 0.8, 1.2);
  ExpectUniform(hue, -0.1, 0.1);
  ExpectUniform(log_gamma, -0.5, 0.5);
  ExpectUniform(sigma, 0.1, 2);
}

TEST(SampleParamsTest, AllOrdersOfJitterAreEquallyLikely) {
  std::map<std::array<JitterOp, 4>, int> count;
  for (int i = 0; i < kDraws; ++i) ++count[Draw(All(), i, 8, 8).jitter_order];
  EXPECT_EQ(count.size(), 24);
  for (const auto& [order, n] : count) ExpectRate(n, 1. / 24);
}

// v = (1 - a) x + a u with a in [0, 0.6] and u in [0, 1], both uniform: at x
// the mean is 0.7 x + 0.3 / 2, and the ends are 0.4 x and 0.4 x + 0.6.
TEST(SampleParamsTest, ToneCurvesBlendTheIdentityWithNoise) {
  AugmentOptions options = All();
  options.jitter_prob = 1;
  std::array<Range, 5> knots;
  for (int i = 0; i < kDraws; ++i) {
    const AugmentParams p = Draw(options, i, 8, 8);
    for (int k = 0; k < 5; ++k) knots[k].Add(p.tone_curve[k]);
  }
  EXPECT_EQ(knots[0].low(), 0);
  EXPECT_EQ(knots[0].high(), 0);
  for (int k = 1; k < 5; ++k) {
    const double x = k / 4.;
    EXPECT_GE(knots[k].low(), 0.4 * x);
    EXPECT_LE(knots[k].low(), 0.4 * x + 0.03);
    EXPECT_LE(knots[k].high(), 0.4 * x + 0.6 + 1e-6);
    EXPECT_GE(knots[k].high(), 0.4 * x + 0.57);
    // Five standard errors, of a spread below 0.3.
    EXPECT_NEAR(knots[k].mean(), 0.7 * x + 0.15, 1.5 / std::sqrt(kDraws));
  }
}

TEST(SampleParamsTest, OffMeansNeutral) {
  AugmentOptions options;
  for (int i = 0; i < 1000; ++i) {
    const AugmentParams p = Draw(options, i, 32, 32);
    EXPECT_FALSE(p.flip || p.grayscale || p.solarize);
    EXPECT_EQ(p.brightness, 1);
    EXPECT_EQ(p.gamma, 1);
    EXPECT_EQ(p.tone_curve, kIdentityTone);
    EXPECT_EQ(p.blur_sigma, 0);
  }
}

TEST(SampleParamsTest, EveryArgumentMatters) {
  const AugmentOptions options = All();
  const auto hash = [&](uint64_t seed, int64_t epoch, int64_t index,
                        int64_t view) {
    const AugmentParams p =
        SampleParams(options, seed, epoch, index, view, 500, 500);
    return p.crop_height * 500 + p.crop_width;
  };
  const int base = hash(1, 2, 3, 0);
  EXPECT_EQ(base, hash(1, 2, 3, 0));
  EXPECT_NE(base, hash(2, 2, 3, 0));
  EXPECT_NE(base, hash(1, 3, 3, 0));
  EXPECT_NE(base, hash(1, 2, 4, 0));
  EXPECT_NE(base, hash(1, 2, 3, 1));
}

TEST(SampleParamsTest, OneOptionLeavesTheOthersDrawsAlone) {
  AugmentOptions turned = All();
  turned.hflip_prob = 0;
  turned.vflip_prob = turned.rotate_prob = 1;
  AugmentOptions without = All();
  without.hflip_prob = without.jitter_prob = without.blur_prob = 0;
  for (int i = 0; i < 100; ++i) {
    const AugmentParams a = Draw(All(), i, 32, 32);
    const AugmentParams b = Draw(without, i, 32, 32);
    EXPECT_TRUE(SameCrop(a, b)) << i;
    EXPECT_EQ(a.grayscale, b.grayscale) << i;
    EXPECT_EQ(a.solarize, b.solarize) << i;
    const AugmentParams c = Draw(turned, i, 32, 32);
    EXPECT_TRUE(SameCrop(a, c)) << i;
    EXPECT_EQ(a.brightness, c.brightness) << i;
    EXPECT_EQ(a.blur_sigma, c.blur_sigma) << i;
  }
}

// Of the eight orientations (mirrored or not, by quarter turns) each has its
// share: with all turns and no flips the three turns, with flips half of each
// turn's mirror image.
TEST(SampleParamsTest, TurnsAreEquallyLikely) {
  AugmentOptions options = All();
  options.hflip_prob = 0;
  options.rotate_prob = 1;
  std::map<std::array<bool, 3>, int> count;
  const auto draw_all = [&] {
    count.clear();
    for (int i = 0; i < kDraws; ++i) {
      const AugmentParams p = Draw(options, i, 8, 8);
      ++count[{p.flip, p.vertical_flip, p.transpose}];
    }
  };
  draw_all();
  // By 90, 180 and 270 degrees.
  ExpectRate(count[{true, false, true}], 1. / 3);
  ExpectRate(count[{true, true, false}], 1. / 3);
  ExpectRate(count[{false, true, true}], 1. / 3);

  options.vflip_prob = 0.5;
  options.rotate_prob = 0.75;
  options.hflip_prob = 0.5;
  draw_all();
  EXPECT_EQ(count.size(), 8u);
  for (const auto& [orientation, n] : count) ExpectRate(n, 1. / 8);

  options.rotate_prob = options.hflip_prob = 0;
  options.vflip_prob = 1;
  draw_all();
  ExpectRate(count[{false, true, false}], 1);
}

TEST(PlainParamsTest, CentralSquare) {
  const AugmentParams p = PlainParams(10, 17);
  EXPECT_EQ(p.crop_height, 10);
  EXPECT_EQ(p.crop_width, 10);
  EXPECT_EQ(p.crop_top, 0);
  EXPECT_EQ(p.crop_left, 3);
}

}  // namespace
}  // namespace gsg
