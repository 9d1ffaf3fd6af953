#ifndef GSG_TRAINERS_IMAGE_CODEC_WEBP_H_
#define GSG_TRAINERS_IMAGE_CODEC_WEBP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The size in a WebP file's header.
// Errors: kDataLoss for a header that makes no sense or an absurd size: its
// pixels would take more than kMaxImageBytes.
absl::StatusOr<ImageSize> WebpSize(absl::Span<const uint8_t> file);

// Decodes a WebP file, lossy or lossless, with libwebp. *raster gets RGB;
// alpha is dropped. Of an animation it is the first frame on its canvas, which
// is black where that does not reach, as in Pillow.
// Errors: those of WebpSize; kDataLoss if it is cut off or corrupt.
absl::Status DecodeWebp(absl::Span<const uint8_t> file, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_WEBP_H_
