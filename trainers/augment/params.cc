#include "trainers/augment/params.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pixels/params.h"
#include "trainers/augment/options.h"
#include "trainers/augment/view_random.h"

namespace gsg {
namespace {

void SetCentralCrop(int height, int width, int crop_height, int crop_width,
                    AugmentParams* params) {
  params->crop_height = crop_height;
  params->crop_width = crop_width;
  params->crop_top = (height - crop_height) / 2;
  params->crop_left = (width - crop_width) / 2;
}

// Python's round: halves to even, under the default rounding mode.
int Round(double x) { return static_cast<int>(std::nearbyint(x)); }

// torchvision's RandomResizedCrop.get_params.
void SampleCrop(const AugmentOptions& options, int height, int width,
                ViewRandom* random, AugmentParams* params) {
  const double area = static_cast<double>(height) * width;
  const double log_ratio_min = std::log(options.crop_ratio_min);
  const double log_ratio_max = std::log(options.crop_ratio_max);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target_area =
        area * random->Uniform(options.crop_scale_min, options.crop_scale_max);
    const double ratio =
        std::exp(random->Uniform(log_ratio_min, log_ratio_max));
    const int w = Round(std::sqrt(target_area * ratio));
    const int h = Round(std::sqrt(target_area / ratio));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      params->crop_height = h;
      params->crop_width = w;
      params->crop_top = static_cast<int>(random->Below(height - h + 1));
      params->crop_left = static_cast<int>(random->Below(width - w + 1));
      return;
    }
  }
  // The largest central crop with an allowed ratio. A one-pixel-wide image
  // could round to nothing, which torchvision does not guard against.
  const double image_ratio = static_cast<double>(width) / height;
  int w = width;
  int h = height;
  if (image_ratio < options.crop_ratio_min) {
    h = std::max(Round(width / options.crop_ratio_min), 1);
  } else if (image_ratio > options.crop_ratio_max) {
    w = std::max(Round(height * options.crop_ratio_max), 1);
  }
  SetCentralCrop(height, width, h, w, params);
}

float Factor(double strength, ViewRandom* random) {
  return static_cast<float>(
      random->Uniform(std::max(0.0, 1 - strength), 1 + strength));
}

// Black stays black, or the background would tell the curve.
ToneCurve SampleToneCurve(double strength, ViewRandom* random) {
  const double blend = random->Uniform(0, strength);
  ToneCurve curve = kIdentityTone;
  for (size_t k = 1; k < curve.size(); ++k) {
    curve[k] = static_cast<float>((1 - blend) * kIdentityTone[k] +
                                  blend * random->Uniform(0, 1));
  }
  return curve;
}

// Composes a vertical flip and a turn, counterclockwise, with the flip that is
// there. A quarter turn is a mirror image, left to right, and its transpose.
void SampleOrientation(const AugmentOptions& options, ViewRandom* random,
                       AugmentParams* params) {
  params->vertical_flip = random->Bernoulli(options.vflip_prob);
  const bool turn = random->Bernoulli(options.rotate_prob);
  const uint32_t quarters = 1 + random->Below(3);
  if (!turn) return;
  if (quarters >= 2) {
    params->flip = !params->flip;
    params->vertical_flip = !params->vertical_flip;
  }
  if (quarters % 2 == 1) {
    params->flip = !params->flip;
    params->transpose = true;
  }
}

}  // namespace

AugmentParams SampleParams(const AugmentOptions& options, uint64_t seed,
                           int64_t epoch, int64_t index, int64_t view,
                           int height, int width) {
  ViewRandom random(seed, static_cast<uint32_t>(epoch),
                    static_cast<uint32_t>(index), static_cast<uint32_t>(view));
  AugmentParams params;
  params.flip = random.Bernoulli(options.hflip_prob);

  // Everything is drawn whether or not it is used, and the crop, whose number
  // of attempts varies, last: so no option moves another's draws.
  const bool jitter = random.Bernoulli(options.jitter_prob);
  const float brightness = Factor(options.brightness, &random);
  const float contrast = Factor(options.contrast, &random);
  const float saturation = Factor(options.saturation, &random);
  const float hue =
      static_cast<float>(random.Uniform(-options.hue, options.hue));
  for (uint32_t i = 3; i > 0; --i) {
    std::swap(params.jitter_order[i], params.jitter_order[random.Below(i + 1)]);
  }
  const float gamma = static_cast<float>(
      std::exp(random.Uniform(-options.gamma, options.gamma)));
  const ToneCurve tone_curve = SampleToneCurve(options.tone_curve, &random);
  if (jitter) {
    params.brightness = brightness;
    params.contrast = contrast;
    params.saturation = saturation;
    params.hue = hue;
    params.gamma = gamma;
    params.tone_curve = tone_curve;
  }

  params.grayscale = random.Bernoulli(options.grayscale_prob);

  const bool blur = random.Bernoulli(options.blur_prob);
  const double sigma =
      random.Uniform(options.blur_sigma_min, options.blur_sigma_max);
  if (blur) params.blur_sigma = static_cast<float>(sigma);

  params.solarize = random.Bernoulli(options.solarize_prob);
  SampleCrop(options, height, width, &random, &params);

  // Further options draw from far behind, so that the draws above stay theirs.
  ViewRandom more(seed, static_cast<uint32_t>(epoch),
                  static_cast<uint32_t>(index), static_cast<uint32_t>(view),
                  /*first_block=*/uint32_t{1} << 31);
  SampleOrientation(options, &more, &params);
  return params;
}

AugmentParams PlainParams(int height, int width) {
  AugmentParams params;
  const int side = std::min(height, width);
  SetCentralCrop(height, width, side, side, &params);
  return params;
}

}  // namespace gsg
