#ifndef GSG_TRAINERS_IMAGE_IMAGE_SET_H_
#define GSG_TRAINERS_IMAGE_IMAGE_SET_H_

#include <cstdint>
#include <vector>

namespace gsg {

// Images of one size, decoded and held in memory: count * channels * height *
// width bytes (Fashion-MNIST train 47 MB, CIFAR train 154 MB).
struct ImageSet {
  int64_t count = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  // [count, channels, height, width]
  std::vector<int32_t> labels;  // [count], or empty where there are none
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGE_SET_H_
