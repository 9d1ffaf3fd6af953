#include "trainers/augment/options.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Written so that NaN is outside every range.
absl::Status InRange(absl::string_view name, double value, double low,
                     double high) {
  if (value >= low && value <= high && std::isfinite(value)) {
    return absl::OkStatus();
  }
  if (high == kInfinity) {
    return absl::InvalidArgumentError(
        absl::StrCat("augmentation: ", name, " = ", value,
                     ", expected a finite value of at "
                     "least ",
                     low));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("augmentation: ", name, " = ", value,
                   ", expected a value in [", low, ", ", high, "]"));
}

absl::Status OrderedAndPositive(absl::string_view name, double low, double high,
                                double limit) {
  if (low > 0 && low <= high && high <= limit && std::isfinite(high)) {
    return absl::OkStatus();
  }
  const std::string bound =
      limit == kInfinity ? "" : absl::StrCat(" <= ", limit);
  return absl::InvalidArgumentError(
      absl::StrCat("augmentation: ", name, "_min = ", low, ", ", name,
                   "_max = ", high, ", expected 0 < min <= max", bound));
}

absl::Status ValidateBlur(const AugmentOptions& options) {
  if (options.blur_prob == 0) return absl::OkStatus();
  GSG_RETURN_IF_ERROR(OrderedAndPositive("blur_sigma", options.blur_sigma_min,
                                         options.blur_sigma_max, kInfinity));
  const int64_t kernel = BlurKernel(options);
  if (kernel < 3 || kernel % 2 == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("augmentation: blur_kernel = ", kernel,
                     ", expected an odd number from 3, or 0 for a tenth of "
                     "the size"));
  }
  if (kernel / 2 >= options.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "augmentation: a blur kernel of ", kernel,
        " pixels needs a size of at "
        "least ",
        kernel / 2 + 1, " to reflect at the border, size = ", options.size));
  }
  return absl::OkStatus();
}

absl::Status ValidateNormalization(const AugmentOptions& options,
                                   int channels) {
  const size_t means = options.mean.size();
  const size_t stds = options.std.size();
  if (means == 0 && stds == 0) return absl::OkStatus();
  if (means != static_cast<size_t>(channels) || stds != means) {
    return absl::InvalidArgumentError(
        absl::StrCat("augmentation: ", means, " means and ", stds,
                     " standard deviations for images of ", channels,
                     " channels, expected one of each per channel"));
  }
  for (float mean : options.mean) {
    if (!std::isfinite(mean)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "augmentation: mean = ", mean, ", expected a finite value"));
    }
  }
  for (float std : options.std) {
    if (!(std > 0) || !std::isfinite(std)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "augmentation: std = ", std, ", expected a finite value above 0"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

AugmentOptions LocalAugmentation(const AugmentOptions& options,
                                 const LocalCropOptions& local) {
  AugmentOptions result = options;
  result.size = local.size;
  result.crop_scale_min = local.scale_min;
  result.crop_scale_max = local.scale_max;
  return result;
}

int64_t BlurKernel(const AugmentOptions& options) {
  if (options.blur_kernel != 0) return options.blur_kernel;
  return 2 * std::max<int64_t>(options.size / 20, 1) + 1;
}

absl::Status Validate(const AugmentOptions& options, int channels) {
  if (channels < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("augmentation: images of ", channels, " channels"));
  }
  const AugmentOptions& o = options;
  for (const absl::Status& s : {
           InRange("size", static_cast<double>(o.size), 1, 4096),
           OrderedAndPositive("crop_scale", o.crop_scale_min, o.crop_scale_max,
                              1),
           OrderedAndPositive("crop_ratio", o.crop_ratio_min, o.crop_ratio_max,
                              kInfinity),
           InRange("hflip_prob", o.hflip_prob, 0, 1),
           InRange("vflip_prob", o.vflip_prob, 0, 1),
           InRange("rotate_prob", o.rotate_prob, 0, 1),
           InRange("jitter_prob", o.jitter_prob, 0, 1),
           InRange("brightness", o.brightness, 0, kInfinity),
           InRange("contrast", o.contrast, 0, kInfinity),
           InRange("saturation", o.saturation, 0, kInfinity),
           InRange("hue", o.hue, 0, 0.5),
           InRange("gamma", o.gamma, 0, 3),
           InRange("tone_curve", o.tone_curve, 0, 1),
           InRange("grayscale_prob", o.grayscale_prob, 0, 1),
           InRange("blur_prob", o.blur_prob, 0, 1),
           InRange("solarize_prob", o.solarize_prob, 0, 1),
           ValidateBlur(o),
           ValidateNormalization(o, channels),
       }) {
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace gsg
