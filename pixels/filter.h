#ifndef GSG_PIXELS_FILTER_H_
#define GSG_PIXELS_FILTER_H_

#include <cmath>

#include "gsg_core/host_device.h"

namespace gsg {

// What is resized along one axis of a plane. Output pixel i of `size` is
// centered at start + (i + 0.5) * length / size, in the plane's pixels and
// fractions of them; only pixels begin .. end - 1 are read. For a crop of whole
// pixels, the two say the same.
struct Window {
  double start, length;
  int begin, end;
};

// The antialiased bilinear filter of torchvision's resize along one axis: a
// triangle of half-width max(1, length / size) pixels, centered with
// align_corners=False and renormalized where pixels are missing. Output pixel i
// is the sum of weights and pixels First(i) .. First(i) + taps() - 1.
class TriangleFilter {
 public:
  GSG_HOST_DEVICE TriangleFilter(const Window& window, int size)
      : start_(window.start),
        scale_(window.length / size),
        support_(scale_ > 1 ? scale_ : 1),
        begin_(window.begin),
        end_(window.end),
        taps_(TapsFor(support_, window.end - window.begin)) {}

  // For a window of `length` pixels, of which `pixels` are there.
  GSG_HOST_DEVICE static int TapsFor(double length, int size, int pixels) {
    const double scale = length / size;
    return TapsFor(scale > 1 ? scale : 1, pixels);
  }

  GSG_HOST_DEVICE int taps() const { return taps_; }

  // Taps beyond the support get weight 0, so near the borders the filter may
  // slide to stay inside.
  GSG_HOST_DEVICE int First(int i) const {
    const int first = static_cast<int>(std::floor(Center(i) - support_ + 0.5));
    const int last = end_ - taps_;
    return first < begin_ ? begin_ : first > last ? last : first;
  }

  // The weights of output pixel i, whose sum is `gain`.
  GSG_HOST_DEVICE void SetWeights(int i, double gain, float* weight) const {
    const double offset = First(i) + 0.5 - Center(i);
    double sum = 0;
    for (int k = 0; k < taps_; ++k) sum += Triangle(offset + k);
    for (int k = 0; k < taps_; ++k) {
      weight[k] = static_cast<float>(Triangle(offset + k) * gain / sum);
    }
  }

 private:
  // An open interval of length 2 * support holds at most so many centers.
  GSG_HOST_DEVICE static int TapsFor(double support, int pixels) {
    const int most = static_cast<int>(std::ceil(2 * support));
    return most < pixels ? most : pixels;
  }

  GSG_HOST_DEVICE double Center(int i) const {
    return start_ + scale_ * (i + 0.5);
  }

  GSG_HOST_DEVICE double Triangle(double x) const {
    const double height = 1 - std::abs(x) / support_;
    return height > 0 ? height : 0;
  }

  double start_, scale_, support_;
  int begin_, end_, taps_;
};

}  // namespace gsg

#endif  // GSG_PIXELS_FILTER_H_
