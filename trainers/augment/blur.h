#ifndef GSG_TRAINERS_AUGMENT_BLUR_H_
#define GSG_TRAINERS_AUGMENT_BLUR_H_

#include <vector>

namespace gsg {

// torchvision's GaussianBlur: `kernel` (odd) samples of exp(-x^2 / 2 sigma^2)
// at whole pixels, normalized to sum 1, along both axes; the border reflects
// without repeating the edge pixel.
class GaussianBlur {
 public:
  // Planes are size x size; kernel / 2 < size.
  GaussianBlur(int size, int kernel);

  // sigma > 0, in pixels.
  void SetSigma(float sigma);

  // plane: [size, size], in place.
  void Apply(float* plane);

 private:
  int size_, radius_;
  std::vector<float> weight_;  // [kernel]
  std::vector<float> padded_;  // [size + kernel - 1], one row and its borders
  std::vector<float> rows_;    // [size, size], blurred along x alone
};

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_BLUR_H_
