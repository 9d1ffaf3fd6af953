#ifndef GSG_TRAINERS_AUGMENT_RESAMPLE_H_
#define GSG_TRAINERS_AUGMENT_RESAMPLE_H_

#include <cstdint>
#include <vector>

namespace gsg {

// A rectangle of a uint8 plane whose rows are `stride` bytes apart.
struct Crop {
  const uint8_t* top_left;
  int64_t stride;
  int height, width;
};

// Resizes crops to size x size floats in [0, 1] (byte / 255), as torchvision's
// resize does with bilinear interpolation and antialias=True: along each axis
// the triangle filter, of half-width max(1, crop / size) crop pixels, centred
// with align_corners=False and renormalised at the borders. Enlarging, that is
// plain bilinear interpolation; at equal size it copies.
class Resampler {
 public:
  // size >= 1.
  explicit Resampler(int size) : size_(size) {}

  // Prepares for crops of this shape; `flip` mirrors left and right.
  void SetShape(int height, int width, bool flip);

  // out: [size, size]. The crop has the shape that was set.
  void Apply(const Crop& crop, float* out);

 private:
  // out[x] = sum_k weight[k * size + x] in[first[x] + k], 0 <= k < taps.
  struct Axis {
    int taps = 0;
    std::vector<int> first;
    std::vector<float> weight;
  };
  void SetAxis(int length, bool flip, double gain, Axis* axis);

  int size_;
  Axis vertical_, horizontal_;
  std::vector<float> row_;     // [width], one row of the crop as floats
  std::vector<float> narrow_;  // [height, size], resized along x alone
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_RESAMPLE_H_
