// That the loops over pixels are vectorized. What they compute is the other
// tests' subject, and is the same if they are not.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "pixels/color.h"
#include "trainers/augment/color.h"

namespace gsg {
namespace {

constexpr int64_t kPixels = 64 * 64;

// Of many calls, so that what else the machine does is not in it.
absl::Duration Least(const std::function<void()>& call) {
  absl::Duration least = absl::InfiniteDuration();
  for (int i = 0; i < 300; ++i) {
    const absl::Time start = absl::Now();
    call();
    least = std::min(least, absl::Now() - start);
  }
  return least;
}

// How many times as long one pixel after the other takes, which this unit's
// options (bazel/cc.bzl) leave as it is.
TEST(SpeedTest, HueIsTurnedOfManyPixelsAtOnce) {
  std::vector<float> image(3 * kPixels);
  for (size_t i = 0; i < image.size(); ++i) image[i] = (i * 37 % 256) / 255.f;
  float* const r = image.data();
  const absl::Duration together = Least([&] {
    AdjustHue({r, 3, kPixels}, 0.1f);
  });
  const absl::Duration one_by_one = Least([&] {
    for (int64_t i = 0; i < kPixels; ++i) {
      pixel::TurnHue(0.6f, r[i], r[i + kPixels], r[i + 2 * kPixels]);
    }
  });
  EXPECT_GT(absl::FDivDuration(one_by_one, together), 2.5);
}

TEST(SpeedTest, ContrastIsAdjustedOfManyPixelsAtOnce) {
  std::vector<float> image(3 * kPixels, 0.5f);
  float* const values = image.data();
  const absl::Duration together = Least([&] {
    AdjustContrast({values, 3, kPixels}, 0.9f);
  });
  const absl::Duration one_by_one = Least([&] {
    float sum = 0;
    for (int64_t i = 0; i < kPixels; ++i) {
      sum +=
          pixel::Gray(values[i], values[i + kPixels], values[i + 2 * kPixels]);
    }
    const float offset = 0.1f * sum / kPixels;
    for (int64_t i = 0; i < 3 * kPixels; ++i) {
      values[i] = pixel::Affine(values[i], 0.9f, offset);
    }
  });
  EXPECT_GT(absl::FDivDuration(one_by_one, together), 1.5);
}

}  // namespace
}  // namespace gsg
