#ifndef GSG_TRAINERS_IMAGE_CODEC_PNM_H_
#define GSG_TRAINERS_IMAGE_CODEC_PNM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// The size in the header of a PGM (P5) or PPM (P6) file.
// Errors: kDataLoss for a header that is cut off or makes no sense; an absurd
// size: the file is too short for its pixels, or they would take more than
// kMaxImageBytes.
absl::StatusOr<ImageSize> PnmSize(absl::Span<const uint8_t> file);

// Decodes the first image of a PGM or PPM file to gray or RGB of as many bits.
// A value v of at most m becomes 255 v / m, or of 16 bits 65535 v / m, rounded.
// Errors: those of PnmSize.
absl::Status DecodePnm(absl::Span<const uint8_t> file, Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_PNM_H_
