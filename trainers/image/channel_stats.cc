#include "trainers/image/channel_stats.h"

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "trainers/image/image.h"
#include "trainers/image/image_set.h"

namespace gsg {

// The sums of one image fit 64 bits; those of all are kept in double.
template <class T>
void ChannelSums::AddPlanes(const T* chw, size_t plane) {
  constexpr double kUnit = sizeof(T) == 1 ? 1 : 257;
  for (size_t c = 0; c < sums_.size(); ++c) {
    uint64_t sum = 0;
    uint64_t square = 0;
    for (size_t k = 0; k < plane; ++k) {
      const uint64_t value = chw[c * plane + k];
      sum += value;
      square += value * value;
    }
    sums_[c] += static_cast<double>(sum) / kUnit;
    squares_[c] += static_cast<double>(square) / (kUnit * kUnit);
  }
  pixels_ += static_cast<double>(plane);
}

void ChannelSums::Add(const Image& image) {
  const size_t plane = static_cast<size_t>(image.height) * image.width;
  if (image.chw16 != nullptr) {
    AddPlanes(image.chw16, plane);
  } else {
    AddPlanes(image.chw, plane);
  }
}

ChannelStats ChannelSums::stats() const {
  const double n = pixels_;
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
  const int64_t bytes = images.channels * images.height * images.width;
  ChannelSums sums(images.channels);
  Image image;
  image.channels = static_cast<int>(images.channels);
  image.height = static_cast<int>(images.height);
  image.width = static_cast<int>(images.width);
  for (int64_t i = 0; i < images.count; ++i) {
    image.chw = images.pixels.data() + i * bytes;
    sums.Add(image);
  }
  return sums.stats();
}

ChannelStats ImageNetChannels(int channels) {
  if (channels == 1) return {{0.449}, {0.226}};
  if (channels != 3) return {};
  return {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

}  // namespace gsg
