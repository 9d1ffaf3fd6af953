#include "trainers/image/channel_stats.h"

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trainers/image/image_set.h"

namespace gsg {

void ChannelSums::Add(const uint8_t* chw, size_t plane) {
  for (size_t c = 0; c < sums_.size(); ++c) {
    for (size_t k = 0; k < plane; ++k) {
      const uint64_t value = chw[c * plane + k];
      sums_[c] += value;
      squares_[c] += value * value;
    }
  }
  pixels_ += plane;
}

ChannelStats ChannelSums::stats() const {
  const double n = static_cast<double>(pixels_);
  ChannelStats stats;
  for (size_t c = 0; c < sums_.size(); ++c) {
    const double mean = sums_[c] / n / 255;
    const double variance = squares_[c] / n / (255 * 255) - mean * mean;
    stats.mean.push_back(mean);
    stats.std.push_back(variance > 1e-12 ? std::sqrt(variance) : 1);
  }
  return stats;
}

ChannelStats MeasureChannels(const ImageSet& images) {
  const int64_t plane = images.height * images.width;
  ChannelSums sums(images.channels);
  for (int64_t i = 0; i < images.count; ++i) {
    sums.Add(images.pixels.data() + i * images.channels * plane, plane);
  }
  return sums.stats();
}

ChannelStats ImageNetChannels(int channels) {
  if (channels == 1) return {{0.449}, {0.226}};
  return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

}  // namespace gsg
