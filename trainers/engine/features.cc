#include "trainers/engine/features.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "models/resnet.h"
#include "trainers/data/image_set.h"

namespace gsg {
namespace {

constexpr int64_t kBlock = 500;

at::Tensor PerChannel(const std::vector<double>& values) {
  return at::tensor(values, c10::kFloat).view({1, -1, 1, 1});
}

// The images as they are, [count, C, H, W] uint8, not copied.
at::Tensor Bytes(const ImageSet& images, int64_t begin, int64_t count) {
  const int64_t size = images.channels * images.height * images.width;
  return at::from_blob(
      const_cast<uint8_t*>(images.pixels.data()) + begin * size,
      {count, images.channels, images.height, images.width}, c10::kByte);
}

int64_t CountOrAll(const ImageSet& images, int64_t count) {
  return count == 0 ? images.count : std::min(count, images.count);
}

}  // namespace

ChannelStats MeasureChannels(const ImageSet& images) {
  const int64_t plane = images.height * images.width;
  ChannelStats stats;
  for (int64_t c = 0; c < images.channels; ++c) {
    // Exact: the sums of at most 2^32 squares of bytes fit 64 bits.
    uint64_t sum = 0, squares = 0;
    for (int64_t i = 0; i < images.count; ++i) {
      const uint8_t* pixel =
          images.pixels.data() + (i * images.channels + c) * plane;
      for (int64_t k = 0; k < plane; ++k) {
        const uint32_t value = pixel[k];
        sum += value;
        squares += value * value;
      }
    }
    const double n = static_cast<double>(images.count * plane);
    const double mean = sum / n / 255;
    const double variance = squares / n / (255 * 255) - mean * mean;
    stats.mean.push_back(mean);
    // A channel that is the same everywhere is only shifted.
    stats.std.push_back(variance > 1e-12 ? std::sqrt(variance) : 1);
  }
  return stats;
}

at::Tensor NormalizedImages(const ImageSet& images, const ChannelStats& stats,
                            int64_t begin, int64_t count) {
  return Bytes(images, begin, count)
      .to(c10::kFloat)
      .div_(255)
      .sub_(PerChannel(stats.mean))
      .div_(PerChannel(stats.std));
}

at::Tensor PixelFeatures(const ImageSet& images) {
  return Bytes(images, 0, images.count).to(c10::kFloat).div_(255).flatten(1);
}

at::Tensor BackboneFeatures(ResNet backbone, const ImageSet& images,
                            const ChannelStats& stats, int64_t count,
                            c10::Device device) {
  const at::NoGradGuard no_grad;
  const bool was_training = backbone->is_training();
  backbone->eval();
  const int64_t end = CountOrAll(images, count);
  std::vector<at::Tensor> blocks;
  for (int64_t begin = 0; begin < end; begin += kBlock) {
    const at::Tensor x =
        NormalizedImages(images, stats, begin, std::min(kBlock, end - begin));
    blocks.push_back(backbone->forward(x.to(device)).cpu());
  }
  backbone->train(was_training);
  return at::cat(blocks);
}

at::Tensor Labels(const ImageSet& images, int64_t count) {
  return at::from_blob(const_cast<int32_t*>(images.labels.data()),
                       {CountOrAll(images, count)}, c10::kInt)
      .to(c10::kLong);
}

}  // namespace gsg
