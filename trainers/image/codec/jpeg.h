#ifndef GSG_TRAINERS_IMAGE_CODEC_JPEG_H_
#define GSG_TRAINERS_IMAGE_CODEC_JPEG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The stored size, from the header.
// Errors: kDataLoss for what libjpeg-turbo does not understand, and for a size
// that is absurd: the file is too short for its pixels, or they would take
// more than kMaxImageBytes to decode.
absl::StatusOr<ImageSize> JpegSize(absl::Span<const uint8_t> file);

// Decodes a JPEG file with libjpeg-turbo: gray, YCbCr, RGB, CMYK and YCCK;
// baseline and progressive; chroma sampled in any way that it knows. Sides are
// divided by *reduction (1, 2, 4 or 8) and rounded up; *reduction grows if the
// pixels would take more than kMaxImageBytes otherwise. For `channels` = 1
// *raster gets the file's own luma, otherwise RGB. Four inks always give RGB:
// they are taken to be stored inverted, as Adobe does and Pillow assumes, so
// that R = C K / 255 and so on.
// Every call has a decoder of its own: nothing is left of a file that could
// not be read.
// Memory beyond the raster: a few rows; progressive, 6 bytes a pixel of the
// file or less.
// Errors: those of JpegSize; kDataLoss if pixels are missing: the file is cut
// off before the last of them, or their code is corrupt. What else
// libjpeg-turbo warns of (stray bytes between markers, parameters that it does
// not need, no end marker) is not damage.
absl::Status DecodeJpeg(absl::Span<const uint8_t> file, int channels,
                        int* reduction, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_JPEG_H_
