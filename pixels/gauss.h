#ifndef GSG_PIXELS_GAUSS_H_
#define GSG_PIXELS_GAUSS_H_

#include <cmath>

#include "gsg_core/host_device.h"

namespace gsg {

// Row or column i of a plane of n that reflects at its borders without
// repeating the edge pixel; -n < i < 2 n - 1.
GSG_HOST_DEVICE constexpr int Reflect(int i, int n) {
  if (i < 0) i = -i;
  return i < n ? i : 2 * (n - 1) - i;
}

// torchvision's Gaussian kernel: `kernel` (odd) samples of exp(-x^2 / 2
// sigma^2) at whole pixels, normalized to sum 1. sigma > 0, in pixels.
GSG_HOST_DEVICE inline void SetGaussWeights(float sigma, int kernel,
                                            float* weight) {
  const int radius = kernel / 2;
  const auto gauss = [&](int k) {
    const double x = (k - radius) / static_cast<double>(sigma);
    return std::exp(-0.5 * x * x);
  };
  double sum = 0;
  for (int k = 0; k < kernel; ++k) sum += gauss(k);
  for (int k = 0; k < kernel; ++k) {
    weight[k] = static_cast<float>(gauss(k) / sum);
  }
}

}  // namespace gsg

#endif  // GSG_PIXELS_GAUSS_H_
