#ifndef GSG_TRAINERS_AUGMENT_RESAMPLE_H_
#define GSG_TRAINERS_AUGMENT_RESAMPLE_H_

#include <cstdint>
#include <vector>

#include "pixels/filter.h"
#include "trainers/image/image.h"

namespace gsg {

// Resizes parts of an image's planes to size x size floats in [0, 1], as
// torchvision's resize does with bilinear interpolation and antialias=True:
// along each axis the triangle filter, of half-width max(1, length / size)
// pixels, centered with align_corners=False and renormalized where pixels are
// missing. Enlarging, that is plain bilinear interpolation; at equal size it
// copies.
class Resampler {
 public:
  // size >= 1.
  explicit Resampler(int size) : size_(size) {}

  // Prepares for windows of this shape. The result is mirrored left to right
  // (flip) and top to bottom (vertical_flip). Every output pixel's center lies
  // between its window's begin and end.
  void SetShape(const Window& vertical, const Window& horizontal, bool flip,
                bool vertical_flip = false);

  // out: [size, size], of channel `channel`.
  void Apply(const Image& image, int channel, float* out);

 private:
  // Pixels begin .. end - 1 are used, and
  // out[x] = sum_k weight[x * taps + k] in[begin + first[x] + k], k < taps.
  struct Axis {
    int begin = 0;
    int end = 0;
    int taps = 0;
    std::vector<int> first;
    std::vector<float> weight;
  };
  void SetAxis(const Window& window, bool flip, double gain, Axis* axis);
  void ApplyTo(const uint8_t* plane, int64_t stride, float* out);
  void ApplyTo(const uint16_t* plane, int64_t stride, float* out);
  template <class T>
  void Resample(const T* plane, int64_t stride, float* out);

  int size_;
  Axis vertical_, horizontal_;
  std::vector<float> rows_;     // [8, width], resized along y alone
  std::vector<float> columns_;  // [width, 8], the same
  std::vector<float> result_;   // [size, 8], resized along both
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_RESAMPLE_H_
