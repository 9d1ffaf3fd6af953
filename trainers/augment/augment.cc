#include "trainers/augment/augment.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pixels/params.h"
#include "trainers/augment/color.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/augment/resample.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// One axis of a crop of the full image, in pixels of a reduced one. Exact: the
// fractions are eighths at most.
Window CropWindow(int start, int length, double offset, int reduction) {
  Window window;
  window.start = offset + static_cast<double>(start) / reduction;
  window.length = static_cast<double>(length) / reduction;
  window.begin = static_cast<int>(std::floor(window.start));
  window.end = static_cast<int>(std::ceil(window.start + window.length));
  return window;
}

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
  if (!IsIdentity(params.tone_curve)) AdjustTone(image, params.tone_curve);
}

// [size, size], in place.
void Transpose(int size, float* plane) {
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t x = 0; x < y; ++x) {
      std::swap(plane[y * size + x], plane[x * size + y]);
    }
  }
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
  Image image;
  image.chw = chw;
  image.channels = channels;
  image.height = height;
  image.width = width;
  Apply(image, params, out);
}

void Augmenter::Apply(const Image& source, const AugmentParams& params,
                      float* out) {
  const int64_t n = static_cast<int64_t>(size_) * size_;
  const int channels = source.channels;
  const Planes image{out, channels, n};

  resampler_.SetShape(CropWindow(params.crop_top, params.crop_height,
                                 source.top, source.reduction),
                      CropWindow(params.crop_left, params.crop_width,
                                 source.left, source.reduction),
                      params.flip, params.vertical_flip);
  for (int c = 0; c < channels; ++c) {
    resampler_.Apply(source, c, out + c * n);
    if (params.transpose) Transpose(size_, out + c * n);
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
