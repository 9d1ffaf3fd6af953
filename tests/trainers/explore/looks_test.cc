#include "trainers/explore/looks.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

using Plane = std::vector<float>;

Plane Smooth(uint32_t seed) {
  // Coarse noise, each value a 4 x 4 block.
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0.1f, 0.9f);
  Plane coarse(36), plane;
  for (float& value : coarse) value = uniform(random);
  for (int y = 0; y < kLooksSide; ++y) {
    for (int x = 0; x < kLooksSide; ++x) {
      plane.push_back(coarse[y / 4 * 6 + x / 4]);
    }
  }
  return plane;
}

Plane Rotated(const Plane& plane) {  // by 90 degrees
  Plane result;
  for (int y = 0; y < kLooksSide; ++y) {
    for (int x = 0; x < kLooksSide; ++x) {
      result.push_back(plane[(kLooksSide - 1 - x) * kLooksSide + y]);
    }
  }
  return result;
}

Plane Mirrored(const Plane& plane) {
  Plane result = plane;
  for (int y = 0; y < kLooksSide; ++y) {
    std::reverse(result.begin() + y * kLooksSide,
                 result.begin() + (y + 1) * kLooksSide);
  }
  return result;
}

TEST(LooksTest, NoiseDoesNotMatterButBrightnessDoes) {
  const Plane plane = Smooth(1);
  Plane changed;
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 0.03f);
  for (const float value : plane) {
    changed.push_back(value + normal(random));
  }
  EXPECT_EQ(Compare(LooksOf(plane), LooksOf(changed)), Alike::kSame);
  EXPECT_EQ(Compare(LooksOf(plane), LooksOf(Smooth(3))), Alike::kNo);
  for (float& value : changed) value += 0.05f;
  EXPECT_EQ(Compare(LooksOf(plane), LooksOf(changed)), Alike::kNo);
}

TEST(LooksTest, ColorsMatter) {
  // One luma: red in the first, as much green in the second.
  const Plane plane = Smooth(6);
  Plane red, green;
  for (const float share : {0.4f, 0.f, 0.f}) {
    for (const float value : plane) red.push_back(share * value);
  }
  for (const float share : {0.f, 0.4f * 0.299f / 0.587f, 0.f}) {
    for (const float value : plane) green.push_back(share * value);
  }
  EXPECT_EQ(Compare(LooksOf(red), LooksOf(red)), Alike::kSame);
  EXPECT_NEAR(LooksOf(red).mean, LooksOf(green).mean, 1e-6);
  EXPECT_EQ(Compare(LooksOf(red), LooksOf(green)), Alike::kNo);
}

TEST(LooksTest, AllOrientationsAreFound) {
  const Plane plane = Smooth(4);
  Plane turned = plane;
  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(Compare(LooksOf(plane), LooksOf(turned)),
              turn == 0 ? Alike::kSame : Alike::kTurned);
    EXPECT_EQ(Compare(LooksOf(plane), LooksOf(Mirrored(turned))),
              Alike::kTurned);
    turned = Rotated(turned);
  }
}

TEST(LooksTest, EvenPicturesByTheirShade) {
  const Plane gray(kLooksSide * kLooksSide, 0.5f);
  const Plane same(kLooksSide * kLooksSide, 0.51f);
  const Plane dark(kLooksSide * kLooksSide, 0.2f);
  EXPECT_EQ(Compare(LooksOf(gray), LooksOf(same)), Alike::kSame);
  EXPECT_EQ(Compare(LooksOf(gray), LooksOf(dark)), Alike::kNo);
  EXPECT_EQ(Compare(LooksOf(gray), LooksOf(Smooth(5))), Alike::kNo);
  EXPECT_EQ(Compare(LooksOf(gray), Looks()), Alike::kNo);
}

TEST(LooksTest, LumaOfColors) {
  constexpr int kPlane = kLooksSide * kLooksSide;
  Plane rgb(3 * kPlane);
  std::fill(rgb.begin(), rgb.begin() + kPlane, 1.f);  // red
  EXPECT_NEAR(LooksOf(rgb).mean, 0.299, 1e-5);
}

}  // namespace
}  // namespace gsg
