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
// `file` is a whole JPEG, PNG or WebP file; of others the result is 1. The tag
// is looked for where Pillow's exif_transpose looks, and read as it reads it:
//   JPEG  APP1 segments before the first scan, whatever lies between segments
//   PNG   eXIf, or a text "Raw profile type exif", before or behind the pixels
//   WebP  EXIF
// and where EXIF does not have the tag, XMP's tiff:Orientation. Its type may be
// any number's. 1 if it is nowhere, or makes no sense: a broken EXIF block is
// no reason to do without the image.
int ExifOrientation(absl::Span<const uint8_t> file);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_EXIF_H_
