#ifndef GSG_TRAINERS_IMAGE_CODEC_HEIF_H_
#define GSG_TRAINERS_IMAGE_CODEC_HEIF_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// HEIC and AVIF files, by libheif. It is not linked, since it brings libraries
// with it that are not ours to hand on, but loaded when the first such file
// comes: libheif.so.1 of this machine, or what GSG_LIBHEIF in the environment
// names. Thread-safe.

// OK if libheif is there. Otherwise kUnavailable: what is missing, and how to
// install it. The same for as long as the program runs.
absl::Status HasHeif();

// The size of a file's primary image as it is meant to be looked at.
// Errors: kDataLoss if libheif is not there or does not understand the file, or
// for an absurd size: decoding would take more than kMaxImageBytes.
absl::StatusOr<ImageSize> HeifSize(absl::Span<const uint8_t> file);

// Decodes a file's primary image to RGB, cropped, turned and mirrored as the
// file says; alpha is dropped, and of more than 8 bits the upper 8 are taken.
// Errors: those of HeifSize; kDataLoss if it is cut off or corrupt.
absl::Status DecodeHeif(absl::Span<const uint8_t> file, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_HEIF_H_
