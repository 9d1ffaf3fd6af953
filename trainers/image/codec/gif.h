#ifndef GSG_TRAINERS_IMAGE_CODEC_GIF_H_
#define GSG_TRAINERS_IMAGE_CODEC_GIF_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The size of a GIF file's canvas, which grows to hold the first frame if that
// sticks out.
// Errors: kDataLoss if there is no frame, or for an absurd size: the pixels
// would take more than kMaxImageBytes.
absl::StatusOr<ImageSize> GifSize(absl::Span<const uint8_t> file);

// Decodes the first frame of a GIF file with giflib. *raster gets RGB, as
// Pillow's convert("RGB") makes it: transparency is dropped; beside the frame
// lies the transparent color, or else color 0; colors that the palette does not
// have are black; without a palette the index is a gray value.
// Errors: those of GifSize; kDataLoss if pixels are missing.
absl::Status DecodeGif(absl::Span<const uint8_t> file, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_GIF_H_
