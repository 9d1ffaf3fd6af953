#ifndef GSG_TRAINERS_IMAGE_IMAGE_H_
#define GSG_TRAINERS_IMAGE_IMAGE_H_

#include <cstdint>

namespace gsg {

// A decoded image: planes in channel order, rows contiguous, of 8 bits a value
// (255 is 1) or 16 (65535 is). One of the two pointers is null.
//
// A reduced one has pixels that each stand for `reduction` x `reduction` of
// the full image's. Position (y, x) of the full image, measured from its
// corner, is (top + y / reduction, left + x / reduction) here. `top` and `left`
// are 0, or, where the full size is no multiple of `reduction` and the image
// was turned, the part of the first pixels that lies outside.
struct Image {
  const uint8_t* chw = nullptr;
  const uint16_t* chw16 = nullptr;
  int channels = 0;
  int height = 0;  // of these pixels
  int width = 0;
  int reduction = 1;
  double top = 0;
  double left = 0;
};

// The most channels of an image: hyperspectral cameras have hundreds.
inline constexpr int kMaxChannels = 1024;

struct ImageSize {
  int height = 0;
  int width = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IMAGE_H_
