// Resampler against the definition of the filter, in double and pixel by
// pixel.

#include "trainers/augment/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainers/augment/formula_image.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

constexpr int kHeight = 41, kWidth = 53;

// Weights of the pixels 0 .. pixels - 1 for output pixel i.
std::vector<double> Weights(const Window& window, int size, int i, int pixels) {
  const double scale = window.length / size;
  const double support = std::max(scale, 1.0);
  const double center = window.start + (i + 0.5) * scale;
  std::vector<double> weights(pixels);
  double sum = 0;
  for (int p = window.begin; p < window.end; ++p) {
    weights[p] = std::max(1 - std::abs(p + 0.5 - center) / support, 0.0);
    sum += weights[p];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// wide: the same picture in 16 bits.
void ExpectReference(int size, const Window& vertical, const Window& horizontal,
                     bool flip, bool wide = false) {
  const std::vector<uint8_t> plane = FormulaImage(1, kHeight, kWidth);
  std::vector<uint16_t> wide_plane;
  for (const uint8_t value : plane) wide_plane.push_back(257 * value);
  Image image;
  if (wide) {
    image.chw16 = wide_plane.data();
  } else {
    image.chw = plane.data();
  }
  image.channels = 1;
  image.height = kHeight;
  image.width = kWidth;
  Resampler resampler(size);
  resampler.SetShape(vertical, horizontal, flip);
  std::vector<float> out(static_cast<size_t>(size) * size);
  resampler.Apply(image, 0, out.data());
  for (int y = 0; y < size; ++y) {
    const std::vector<double> down = Weights(vertical, size, y, kHeight);
    for (int x = 0; x < size; ++x) {
      const std::vector<double> across =
          Weights(horizontal, size, flip ? size - 1 - x : x, kWidth);
      double expected = 0;
      for (int p = 0; p < kHeight; ++p) {
        for (int q = 0; q < kWidth; ++q) {
          expected += down[p] * across[q] * plane[p * kWidth + q] / 255;
        }
      }
      // At most 83 * 107 products of weights that sum to 1, in float: each
      // sum is off by a few eps = 6e-8 of a value of at most 1.
      ASSERT_NEAR(out[static_cast<size_t>(y) * size + x], expected, 2e-6)
          << "size " << size << " row " << y << " column " << x;
    }
  }
}

// Sizes around the blocks of eight rows and four columns; windows that are
// crops, that begin and end between pixels, and that see pixels beyond.
TEST(ResamplerTest, IsTheTriangleFilter) {
  const Window tall = {0, kHeight, 0, kHeight};
  const Window crop = {3, 7, 3, 10};
  const Window fraction = {2.25, 20.625, 2, 23};
  const Window one = {8.5, 1, 8, 10};
  const Window beyond = {11.3, 17.2, 0, 40};
  const Window wide = {0, kWidth, 0, kWidth};
  for (int size : {1, 3, 4, 7, 8, 9, 16, 19, 33}) {
    for (const Window& vertical : {tall, crop, fraction, one, beyond}) {
      for (const Window& horizontal : {wide, crop, fraction, one, beyond}) {
        ExpectReference(size, vertical, horizontal, size % 2 == 0);
        ExpectReference(size, vertical, horizontal, false, /*wide=*/true);
      }
    }
  }
}

}  // namespace
}  // namespace gsg
