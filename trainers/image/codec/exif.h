#ifndef GSG_TRAINERS_IMAGE_CODEC_EXIF_H_
#define GSG_TRAINERS_IMAGE_CODEC_EXIF_H_

#include <cstdint>

#include "absl/types/span.h"

namespace gsg {

// How a stored image must be turned to be looked at, by EXIF's tag 274:
//   1 as it is      2 mirrored left-right   3 by 180 degrees
//   4 mirrored up-down                      5 transposed
//   6 by 90 degrees clockwise               7 along the other diagonal
//   8 by 90 degrees anticlockwise
// `file` is a whole JPEG (its APP1 segment is read), PNG (eXIf) or WebP (EXIF)
// file. 1 if it does not say, or says it in a way that makes no sense: a
// broken EXIF block is no reason to do without the image.
int ExifOrientation(absl::Span<const uint8_t> file);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_EXIF_H_
