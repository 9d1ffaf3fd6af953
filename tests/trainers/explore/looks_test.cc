#include "trainers/explore/looks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "trainers/explore/features.h"
#include "trainers/image/image.h"

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
  std::normal_distribution<float> normal(0, 0.01f);
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
  EXPECT_EQ(LooksOf(red).gray, LooksOf(green).gray);
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
  std::fill(rgb.begin(), rgb.begin() + kPlane, 1.f);             // red
  for (int i = 0; i < kPlane / 2; ++i) rgb[2 * kPlane + i] = 1;  // half blue
  const Looks looks = LooksOf(rgb);
  const Looks luma = LooksOf([&] {
    Plane plane(kPlane, 0.299f);
    for (int i = 0; i < kPlane / 2; ++i) plane[i] += 0.114f;
    return plane;
  }());
  EXPECT_EQ(looks.gray, luma.gray);
  EXPECT_EQ(looks.colors[0], 65535);
  EXPECT_EQ(looks.colors[1], 0);
  EXPECT_EQ(looks.colors[2], 65535);
  EXPECT_EQ(looks.colors[3 * kColorSide * (kColorSide - 1) + 2], 0);
}

// A picture that is drawn at any size: of smooth waves, sharp enough that a
// shift by a pixel of 24 would matter.
std::vector<uint8_t> Drawn(int height, int width, int quarter_turns) {
  std::vector<uint8_t> pixels;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      double y = (row + 0.5) / height, x = (column + 0.5) / width;
      for (int turn = 0; turn < quarter_turns; ++turn) {
        const double before = y;
        y = x;
        x = 1 - before;
      }
      pixels.push_back(static_cast<uint8_t>(
          128 + 60 * std::sin(50 * x + 9 * y) + 60 * std::sin(45 * y * y)));
    }
  }
  return pixels;
}

Looks LooksOfDrawn(int height, int width, int quarter_turns = 0) {
  const std::vector<uint8_t> pixels = Drawn(height, width, quarter_turns);
  Image image;
  image.chw = pixels.data();
  image.channels = 1;
  image.height = height;
  image.width = width;
  Plane plane(kLooksSide * kLooksSide);
  SmallPicture(image, {height, width}, plane.data());
  return LooksOf(plane);
}

double Correlation(const Looks& a, const Looks& b) {
  double sum = 0;
  for (size_t i = 0; i < a.gray.size(); ++i) sum += a.gray[i] * b.gray[i];
  return sum / a.length / b.length;
}

TEST(LooksTest, SizesOfOnePictureAreNotShifted) {
  const Looks original = LooksOfDrawn(130, 151);
  for (const int height : {61, 83, 97, 98, 143, 260}) {
    const int width = static_cast<int>(std::lround(height * 151 / 130.));
    const Looks other = LooksOfDrawn(height, width);
    EXPECT_GT(Correlation(original, other), 0.995) << height;
    EXPECT_EQ(Compare(original, other), Alike::kSame) << height;
  }
  // What a shift by one small pixel costs: this test could tell.
  Looks shifted = original;
  std::rotate(shifted.gray.begin(), shifted.gray.begin() + 1,
              shifted.gray.end());
  EXPECT_LT(Correlation(original, shifted), 0.9);
}

TEST(LooksTest, TurnsOfOnePictureAreNotShifted) {
  for (int turns = 1; turns < 4; ++turns) {
    EXPECT_EQ(Compare(LooksOfDrawn(130, 151), LooksOfDrawn(151, 130, turns)),
              Alike::kTurned);
  }
}

TEST(LooksTest, SmallPictureOfAReducedImage) {
  // 48 x 48 pixels that each stand for 2 x 2 of 95 x 95, the first ones half
  // outside: the cut is from 0.5 on.
  std::vector<uint8_t> pixels;
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) {
      pixels.push_back(static_cast<uint8_t>(4 * x));
    }
  }
  Image image;
  image.chw = pixels.data();
  image.channels = 1;
  image.height = image.width = 48;
  image.reduction = 2;
  image.top = image.left = 0.5;
  Plane plane(kLooksSide * kLooksSide);
  SmallPicture(image, {95, 95}, plane.data());
  // Pixel x of 24 is centered at 0.5 + (x + 0.5) * 47.5 / 24, where the ramp is
  // 4 times that less 2, away from its ends.
  for (int x = 2; x < 22; ++x) {
    EXPECT_NEAR(255 * plane[x], 4 * (0.5 + (x + 0.5) * 47.5 / 24) - 2, 0.3);
  }
}

double Distance(absl::Span<const float> a, absl::Span<const float> b) {
  double square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    square += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return std::sqrt(square);
}

TEST(TurnedRowsTest, AreTheSameInAllOrientations) {
  std::vector<Looks> looks = {Looks()};
  Plane turned = Smooth(8);
  for (int turn = 0; turn < 4; ++turn) {
    looks.push_back(LooksOf(turned));
    looks.push_back(LooksOf(Mirrored(turned)));
    turned = Rotated(turned);
  }
  for (int i = 0; i < 20; ++i) looks.push_back(LooksOf(Smooth(20 + i)));
  const UnitRows rows = TurnedRows(looks);
  ASSERT_EQ(rows.n, 29);
  for (const float value : rows.row(0)) EXPECT_EQ(value, 0);
  for (int i = 1; i < 29; ++i) {
    EXPECT_NEAR(Distance(rows.row(i), std::vector<float>(rows.d)), 1, 1e-5);
    const double distance = Distance(rows.row(1), rows.row(i));
    if (i < 9) {
      EXPECT_LT(distance, 1e-3) << i;
    } else {
      EXPECT_GT(distance, 0.3) << i;
    }
  }
}

TEST(TurnedRowsTest, HoldTheCosineTransform) {
  // One wave along x and two along y: c_21 alone, and so two values.
  Plane plane;
  for (int y = 0; y < kLooksSide; ++y) {
    for (int x = 0; x < kLooksSide; ++x) {
      plane.push_back(static_cast<float>(
          0.5 + 0.4 * std::cos(M_PI * (x + 0.5) / kLooksSide) *
                    std::cos(2 * M_PI * (y + 0.5) / kLooksSide)));
    }
  }
  const UnitRows rows = TurnedRows({LooksOf(plane)});
  // (1,0): 2 values, (1,1): 1, (2,0): 2, then (2,1).
  const double share = rows.row(0)[5];
  EXPECT_NEAR(rows.row(0)[6], share, 1e-3);
  double rest = 0;
  for (int i = 0; i < 63; ++i) {
    if (i != 5 && i != 6) rest = std::max<double>(rest, rows.row(0)[i]);
  }
  EXPECT_LT(rest, 0.01);
  EXPECT_GT(share, 0.69);
}

TEST(TurnedRowsTest, FlatPicturesByTheirColor) {
  const auto flat = [](float shade) {
    return LooksOf(Plane(kLooksSide * kLooksSide, shade));
  };
  const UnitRows rows = TurnedRows({flat(0.5f), flat(0.51f), flat(0.7f)});
  EXPECT_LT(Distance(rows.row(0), rows.row(1)), 0.02);
  EXPECT_GT(Distance(rows.row(0), rows.row(2)), 0.1);
}

}  // namespace
}  // namespace gsg
