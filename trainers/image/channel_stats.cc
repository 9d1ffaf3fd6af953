#include "trainers/image/channel_stats.h"

#include <cmath>
#include <cstdint>

#include "trainers/image/image_set.h"

namespace gsg {

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
    stats.std.push_back(variance > 1e-12 ? std::sqrt(variance) : 1);
  }
  return stats;
}

ChannelStats ImageNetChannels(int channels) {
  if (channels == 1) return {{0.449}, {0.226}};
  return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

}  // namespace gsg
