#include "cuda/internal/augment_plan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cuda/augment.h"
#include "cuda/internal/augment_args.h"
#include "gsg_core/half.h"
#include "pixels/filter.h"
#include "pixels/params.h"

namespace gsg::cuda {
namespace internal {
namespace {

absl::Status CheckImages(const ImageArray& images) {
  if (images.channels != 1 && images.channels != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "images have ", images.channels, " channels; they must have 1 or 3"));
  }
  if (images.count < 1 || images.height < 1 || images.width < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("images are ", images.count, " of ", images.height, " x ",
                     images.width, "; there must be at least one pixel"));
  }
  return absl::OkStatus();
}

absl::Status CheckSettings(const AugmentSettings& settings, int channels) {
  if (settings.size < 1 || settings.size > 4096) {
    return absl::InvalidArgumentError(absl::StrCat(
        "settings.size is ", settings.size, "; it must be in 1..4096"));
  }
  const int kernel = settings.blur_kernel;
  if (kernel < 1 || kernel % 2 == 0 || kernel / 2 >= settings.size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "settings.blur_kernel is ", kernel, " at a size of ", settings.size,
        "; it must be odd, and half of it less than the size"));
  }
  for (int c = 0; settings.normalize && c < channels; ++c) {
    if (!std::isfinite(settings.mean[c]) || !(settings.std[c] > 0) ||
        !std::isfinite(settings.std[c])) {
      return absl::InvalidArgumentError(
          absl::StrCat("settings.mean[", c, "] is ", settings.mean[c],
                       " and settings.std[", c, "] ", settings.std[c],
                       "; both must be finite, and the latter above 0"));
    }
  }
  return absl::OkStatus();
}

// Of any crop along an axis of `pixels`.
int MostTaps(int pixels, int size) {
  return TriangleFilter::TapsFor(pixels, size, pixels);
}

}  // namespace

template <typename T>
absl::StatusOr<AugmentArgs<T>> PlanAugment(const ImageArray& images,
                                           const AugmentSettings& settings,
                                           const int64_t* index,
                                           const AugmentParams* params,
                                           int64_t views, T* out,
                                           void* workspace, uint32_t* faults) {
  absl::Status status = CheckImages(images);
  if (status.ok()) status = CheckSettings(settings, images.channels);
  if (!status.ok()) return status;
  if (views < 1 || views > INT32_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("views is ", views, "; it must be in 1..2^31 - 1"));
  }
  const bool needs_workspace =
      AugmentWorkspaceBytes(images, settings, views) > 0;
  const struct {
    absl::string_view name;
    const void* pointer;
  } pointers[] = {{"images.data", images.data},
                  {"index", index},
                  {"params", params},
                  {"out", out},
                  {"faults", faults}};
  for (const auto& argument : pointers) {
    if (argument.pointer == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(argument.name, " is null; it must be given"));
    }
  }
  if (needs_workspace && workspace == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("workspace is null; views of ", settings.size, " x ",
                     settings.size, " take AugmentWorkspaceBytes"));
  }
  AugmentArgs<T> args{};
  args.images = images;
  args.size = settings.size;
  args.blur_kernel = settings.blur_kernel;
  args.order = settings.order;
  const int64_t elements =
      int64_t{images.channels} * settings.size * settings.size;
  args.vectors = elements * sizeof(T) % 16 == 0 &&
                 reinterpret_cast<uintptr_t>(out) % 16 == 0;
  for (int c = 0; c < 3; ++c) {
    args.mean[c] = settings.normalize ? settings.mean[c] : 0;
    args.inverse_std[c] = settings.normalize ? 1 / settings.std[c] : 1;
  }
  args.index = index;
  args.params = params;
  args.views = static_cast<int>(views);
  args.out = out;
  args.workspace = needs_workspace ? static_cast<float*>(workspace) : nullptr;
  args.faults = faults;
  args.vertical_taps = MostTaps(images.height, settings.size);
  args.horizontal_taps = MostTaps(images.width, settings.size);
  if (AugmentTablesBytes(args) > kSharedBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "images of ", images.height, " x ", images.width, " and views of ",
        settings.size, " take ", AugmentTablesBytes(args),
        " bytes of filter weights; there may be ", kSharedBytes));
  }
  return args;
}

template absl::StatusOr<AugmentArgs<float>> PlanAugment(
    const ImageArray&, const AugmentSettings&, const int64_t*,
    const AugmentParams*, int64_t, float*, void*, uint32_t*);
template absl::StatusOr<AugmentArgs<Half>> PlanAugment(
    const ImageArray&, const AugmentSettings&, const int64_t*,
    const AugmentParams*, int64_t, Half*, void*, uint32_t*);
template absl::StatusOr<AugmentArgs<BFloat16>> PlanAugment(
    const ImageArray&, const AugmentSettings&, const int64_t*,
    const AugmentParams*, int64_t, BFloat16*, void*, uint32_t*);

int AugmentThreads(int size) {
  const int64_t pixels = int64_t{size} * size;
  return static_cast<int>(
      std::clamp<int64_t>((pixels + 31) / 32 * 32, 32, kMaxAugmentThreads));
}

}  // namespace internal

size_t AugmentWorkspaceBytes(const ImageArray& images,
                             const AugmentSettings& settings, int64_t views) {
  const size_t planes =
      internal::AugmentPlanesBytes(images.channels, settings.size);
  internal::AugmentArgs<float> args{};
  args.size = settings.size;
  args.blur_kernel = settings.blur_kernel;
  args.vertical_taps = internal::MostTaps(images.height, settings.size);
  args.horizontal_taps = internal::MostTaps(images.width, settings.size);
  const bool fits =
      planes + internal::AugmentTablesBytes(args) <= internal::kSharedBytes;
  return fits ? 0 : planes * static_cast<size_t>(views);
}

absl::Status AugmentFaults(uint32_t faults) {
  if ((faults & internal::kBadCrop) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "index or params: a view's index was not an image, or its crop did not "
      "lie in it");
}

}  // namespace gsg::cuda
