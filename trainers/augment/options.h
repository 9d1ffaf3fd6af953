#ifndef GSG_TRAINERS_AUGMENT_OPTIONS_H_
#define GSG_TRAINERS_AUGMENT_OPTIONS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace gsg {

// Augmentations with torchvision's names, meaning and ranges, in the order of
// the SimSiam and BYOL recipes: RandomResizedCrop, ColorJitter,
// RandomGrayscale, GaussianBlur, RandomSolarize(0.5), RandomHorizontalFlip,
// Normalize (flips and turns are done first, which changes nothing). A
// default-constructed value only crops.
struct AugmentOptions {
  int64_t size = 32;  // output side, pixels

  double crop_scale_min = 0.2;  // share of the image's area
  double crop_scale_max = 1.0;
  double crop_ratio_min = 3. / 4.;  // width / height
  double crop_ratio_max = 4. / 3.;

  double hflip_prob = 0;
  // For images that have no up, as from above or through a microscope:
  // RandomVerticalFlip, and a turn by 90, 180 or 270 degrees, each as likely.
  double vflip_prob = 0;
  double rotate_prob = 0;

  // ColorJitter, applied as a whole with probability jitter_prob. As in
  // torchvision: factors uniform in [max(0, 1 - x), 1 + x], hue in turns
  // uniform in [-hue, hue], the four operations in uniformly random order.
  // Saturation and hue change images of 3 channels only.
  double jitter_prob = 0;
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  // at most 0.5
  // Not in torchvision's ColorJitter, and last of it here: pixels to the power
  // exp(u), u uniform in [-gamma, gamma]. At most 3; 0 is off.
  double gamma = 0;

  // Pixels through a curve with five knots, in the same gate, after gamma: a
  // blend, by a share uniform in [0, tone_curve], of the identity with uniform
  // random values at 1/4, 1/2, 3/4 and 1. 0 is off. (The idea is the nonlinear
  // transformation of Zhou et al., Models Genesis, arXiv 1908.06912.)
  double tone_curve = 0;

  double grayscale_prob = 0;

  double blur_prob = 0;
  double blur_sigma_min = 0.1;  // output pixels
  double blur_sigma_max = 2.0;
  // Kernel side, odd; 0 means SimCLR's tenth of `size`: 2 * (size / 20) + 1,
  // at least 3.
  int64_t blur_kernel = 0;

  double solarize_prob = 0;  // x >= 0.5 becomes 1 - x

  // Per channel, of pixels in [0, 1]; both empty: no normalization.
  std::vector<float> mean;
  std::vector<float> std;
};

// The smaller views of multi-crop (Caron et al., SwAV, arXiv 2006.09882):
// `count` further views of a smaller part of the image, augmented alike
// otherwise.
struct LocalCropOptions {
  int64_t count = 0;
  int64_t size = 16;  // output side, pixels
  double scale_min = 0.05;
  double scale_max = 0.2;
};

// `options` for a local crop.
AugmentOptions LocalAugmentation(const AugmentOptions& options,
                                 const LocalCropOptions& local);

// The side of the blur kernel that `options` ask for.
int64_t BlurKernel(const AugmentOptions& options);

// kInvalidArgument names the option, its value and the allowed range.
// `channels` is that of the images.
absl::Status Validate(const AugmentOptions& options, int channels);

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_OPTIONS_H_
