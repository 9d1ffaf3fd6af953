#include "trainers/augment/augment.h"

#include <cstddef>
#include <cstdint>

#include "trainers/augment/color.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/augment/resample.h"

namespace gsg {
namespace {

// Neutral factors are skipped rather than applied: contrast would still cost a
// mean, and hue a rounding.
void Jitter(Planes image, const AugmentParams& params) {
  for (JitterOp op : params.jitter_order) {
    switch (op) {
      case JitterOp::kBrightness:
        if (params.brightness != 1) AdjustBrightness(image, params.brightness);
        break;
      case JitterOp::kContrast:
        if (params.contrast != 1) AdjustContrast(image, params.contrast);
        break;
      case JitterOp::kSaturation:
        if (params.saturation != 1) AdjustSaturation(image, params.saturation);
        break;
      case JitterOp::kHue:
        if (params.hue != 0) AdjustHue(image, params.hue);
        break;
    }
  }
  if (params.gamma != 1) AdjustGamma(image, params.gamma);
  if (params.tone_curve != kIdentityTone) AdjustTone(image, params.tone_curve);
}

}  // namespace

Augmenter::Augmenter(const AugmentOptions& options)
    : size_(static_cast<int>(options.size)),
      mean_(options.mean),
      resampler_(size_),
      blur_(size_, static_cast<int>(BlurKernel(options))) {
  for (float std : options.std) inverse_std_.push_back(1 / std);
}

void Augmenter::Apply(const uint8_t* chw, int channels, int height, int width,
                      const AugmentParams& params, float* out) {
  const int64_t n = static_cast<int64_t>(size_) * size_;
  const Planes image{out, channels, n};

  resampler_.SetShape(params.crop_height, params.crop_width, params.flip);
  const int64_t top_left =
      static_cast<int64_t>(params.crop_top) * width + params.crop_left;
  for (int c = 0; c < channels; ++c) {
    const uint8_t* plane = chw + static_cast<int64_t>(c) * height * width;
    resampler_.Apply(
        Crop{plane + top_left, width, params.crop_height, params.crop_width},
        out + c * n);
  }

  Jitter(image, params);
  if (params.grayscale) Grayscale(image);
  if (params.blur_sigma > 0) {
    blur_.SetSigma(params.blur_sigma);
    for (int c = 0; c < channels; ++c) blur_.Apply(out + c * n);
  }
  if (params.solarize) Solarize(image);

  for (size_t c = 0; c < mean_.size(); ++c) {
    float* plane = out + c * n;
    const float mean = mean_[c];
    const float scale = inverse_std_[c];
    for (int64_t i = 0; i < n; ++i) plane[i] = (plane[i] - mean) * scale;
  }
}

}  // namespace gsg
