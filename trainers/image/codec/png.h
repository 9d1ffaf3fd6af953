#ifndef GSG_TRAINERS_IMAGE_CODEC_PNG_H_
#define GSG_TRAINERS_IMAGE_CODEC_PNG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The size in a PNG file's header.
// Errors: kDataLoss for a header that is cut off or an absurd size: its pixels
// would take more than kMaxImageBytes, or the file is too short for them.
absl::StatusOr<ImageSize> PngSize(absl::Span<const uint8_t> file,
                                  bool keep_alpha);

// Decodes a PNG file of any kind with libpng: gray (1, 2, 4, 8 or 16 bits),
// RGB, palette, with alpha or without, interlaced or not. *raster gets gray or
// RGB as the file has it, of 8 bits or 16. As Pillow's convert("RGB") does,
// alpha is dropped, not composited, unless `keep_alpha`: then it is a channel
// more. Gamma and color profiles are ignored. Of an animation (APNG) it is the
// first picture. Memory beyond the raster: libpng's rows, and a pointer a row.
// Errors: kDataLoss with libpng's reason.
absl::Status DecodePng(absl::Span<const uint8_t> file, bool keep_alpha,
                       Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_PNG_H_
