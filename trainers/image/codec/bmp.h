#ifndef GSG_TRAINERS_IMAGE_CODEC_BMP_H_
#define GSG_TRAINERS_IMAGE_CODEC_BMP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The size in a BMP file's header.
// Errors: kDataLoss for a header that is cut off, makes no sense or names a
// kind that DecodeBmp does not read; an absurd size: the file is too short for
// its pixels, or they would take more than kMaxImageBytes.
absl::StatusOr<ImageSize> BmpSize(absl::Span<const uint8_t> file);

// Decodes a BMP file of Windows or OS/2 1: palettes of 1, 4 or 8 bits, plain or
// run-length encoded; 16, 24 or 32 bits, with masks or without; from the bottom
// or the top. *raster gets RGB as Pillow makes it: alpha is dropped, and a
// value of b < 8 bits becomes v * 255 / (2^b - 1), rounded down. Pixels that a
// run-length code skips have color 0; colors that the palette lacks are black.
// Errors: those of BmpSize; kDataLoss if pixels are missing.
absl::Status DecodeBmp(absl::Span<const uint8_t> file, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_BMP_H_
