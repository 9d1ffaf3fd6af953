#ifndef GSG_TRAINERS_AUGMENT_COLOR_H_
#define GSG_TRAINERS_AUGMENT_COLOR_H_

#include <cstdint>

#include "pixels/params.h"

namespace gsg {

// Planes of `n` float pixels in [0, 1], changed in place: [channels, n]. Three
// channels are R, G and B. The operations are torchvision's functional ones on
// float tensors; gray is 0.2989 R + 0.587 G + 0.114 B.
struct Planes {
  float* data;
  int channels;
  int64_t n;
};

// factor * x, clamped to [0, 1].
void AdjustBrightness(Planes image, float factor);

// Away from (factor > 1) or towards the mean of the gray image, or if there are
// not 3 channels of all values, clamped.
void AdjustContrast(Planes image, float factor);

// Away from or towards the gray image, clamped. Of 3 channels only.
void AdjustSaturation(Planes image, float factor);

// Turns the hue of HSV by `turns` in [-0.5, 0.5]. Of 3 channels only.
void AdjustHue(Planes image, float turns);

// x to the power `exponent` > 0.
void AdjustGamma(Planes image, float exponent);

// Puts every value through the curve.
void AdjustTone(Planes image, const ToneCurve& curve);

// Every channel becomes the gray image. Of 3 channels only.
void Grayscale(Planes image);

// x >= 0.5 becomes 1 - x.
void Solarize(Planes image);

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_COLOR_H_
