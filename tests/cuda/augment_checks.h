#ifndef GSG_TESTS_CUDA_AUGMENT_CHECKS_H_
#define GSG_TESTS_CUDA_AUGMENT_CHECKS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "cuda/augment.h"
#include "gsg_core/half.h"
#include "gtest/gtest.h"
#include "pixels/params.h"
#include "tests/gsg_core/test_util.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"

// A batch of views by the Augmenter of the CPU, for another implementation to
// be held against.
namespace gsg {

struct AugmentCase {
  int channels;
  int height, width;
  int size;
  cuda::PixelOrder order;
};

struct AugmentBatch {
  AugmentCase shape;
  AugmentOptions options;
  std::vector<uint8_t> images;  // [kImages, channels, height, width]
  std::vector<int64_t> index;
  std::vector<AugmentParams> params;
  std::vector<float> expected;  // [views, channels, size, size]

  static constexpr int kImages = 5;

  int64_t views() const { return static_cast<int64_t>(index.size()); }

  cuda::AugmentSettings settings() const {
    cuda::AugmentSettings settings;
    settings.size = shape.size;
    settings.blur_kernel = static_cast<int>(BlurKernel(options));
    settings.order = shape.order;
    settings.normalize = !options.mean.empty();
    for (size_t c = 0; c < options.mean.size(); ++c) {
      settings.mean[c] = options.mean[c];
      settings.std[c] = options.std[c];
    }
    return settings;
  }
};

// Views with everything that there is, each with some probability.
inline AugmentBatch MakeAugmentBatch(const AugmentCase& shape, int views,
                                     uint64_t seed) {
  AugmentBatch batch;
  batch.shape = shape;
  AugmentOptions& o = batch.options;
  o.size = shape.size;
  o.crop_scale_min = 0.1;
  o.hflip_prob = o.vflip_prob = o.blur_prob = o.solarize_prob = 0.5;
  o.rotate_prob = 0.6;
  o.jitter_prob = 0.8;
  o.brightness = o.contrast = o.saturation = 0.8;
  o.hue = 0.4;
  o.gamma = 0.5;
  o.tone_curve = 0.5;
  o.grayscale_prob = 0.3;
  if (shape.size < 2) o.blur_prob = 0;
  o.blur_kernel = shape.size < 2 ? 1 : shape.size < 12 ? 3 : 0;
  for (int c = 0; c < shape.channels; ++c) {
    o.mean.push_back(0.4f + 0.05f * static_cast<float>(c));
    o.std.push_back(0.2f + 0.03f * static_cast<float>(c));
  }
  std::mt19937_64 generator(seed);
  std::uniform_int_distribution<int> byte(0, 255);
  const size_t pixels =
      static_cast<size_t>(shape.channels) * shape.height * shape.width;
  batch.images.resize(AugmentBatch::kImages * pixels);
  for (uint8_t& value : batch.images) {
    value = static_cast<uint8_t>(byte(generator));
  }
  Augmenter augmenter(o);
  const size_t elements =
      static_cast<size_t>(shape.channels) * shape.size * shape.size;
  batch.expected.resize(views * elements);
  for (int v = 0; v < views; ++v) {
    batch.index.push_back((3 * v + 1) % AugmentBatch::kImages);
    batch.params.push_back(SampleParams(o, seed, 0, batch.index.back(), v,
                                        shape.height, shape.width));
    augmenter.Apply(batch.images.data() + batch.index.back() * pixels,
                    shape.channels, shape.height, shape.width,
                    batch.params.back(), batch.expected.data() + v * elements);
  }
  return batch;
}

// out, in the batch's order: within 1e-5 before normalization and rounding to
// T, but for one value in a thousand, which may lie on the other side of a
// fold.
template <typename T>
void CheckViews(const AugmentBatch& batch, const std::vector<T>& out) {
  const AugmentCase& shape = batch.shape;
  const int64_t pixels = int64_t{shape.size} * shape.size;
  ASSERT_EQ(out.size(), batch.expected.size());
  int64_t far = 0;
  for (size_t k = 0; k < out.size(); ++k) {
    const int64_t view = k / (shape.channels * pixels);
    const int64_t c = k / pixels % shape.channels, q = k % pixels;
    const size_t place = shape.order == cuda::PixelOrder::kPlanes
                             ? k
                             : (view * pixels + q) * shape.channels + c;
    const double expected = batch.expected[k];
    const double tolerance = 1e-5 / batch.options.std[c] +
                             Limits<T>::kEpsilon / 2 * std::abs(expected);
    const double value = static_cast<float>(out[place]);
    ASSERT_TRUE(std::isfinite(value));
    if (std::abs(value - expected) > tolerance) ++far;
  }
  EXPECT_LE(far, static_cast<int64_t>(out.size() / 1000));
}

}  // namespace gsg

#endif  // GSG_TESTS_CUDA_AUGMENT_CHECKS_H_
