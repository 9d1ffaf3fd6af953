#ifndef GSG_TRAINERS_IMAGE_CODEC_TIFF_H_
#define GSG_TRAINERS_IMAGE_CODEC_TIFF_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

struct TiffHeader {
  ImageSize size;       // as stored
  int orientation = 1;  // 1 to 8, as EXIF's (exif.h)
};

// The first page's header. channels: as for DecodeTiff.
// Errors: kDataLoss for what libtiff does not understand; a kind of image that
// DecodeTiff does not read, which it names, or that has not the channels that
// are wanted; an absurd size: the pixels and a strip or tile of them would take
// more than half of kMaxImageBytes.
absl::StatusOr<TiffHeader> ReadTiffHeader(absl::Span<const uint8_t> file,
                                          int channels);

// Decodes the first page of a TIFF or BigTIFF file with libtiff: gray of 1, 2,
// 4, 8, 16 or 32 bits, palettes, RGB and CMYK of 8, 16 or 32; in strips or
// tiles, samples together or apart; not compressed, or by LZW, Deflate,
// PackBits, JPEG or a fax machine's codes. Of 32 bits the upper 16 are taken;
// floating-point samples must lie in 0..1, as 16 bits do.
//
// channels: 1 or 3 for gray or RGB, as the file has it and Pillow's
// convert("RGB") makes it: alpha is dropped, after colors that were multiplied
// by it are divided by it. Otherwise, and if gray comes in as many samples, all
// samples as they are.
// Memory beyond the raster: a strip or tile, and libtiff's, at most half of
// kMaxImageBytes.
// Errors: those of ReadTiffHeader; kDataLoss if pixels are missing, or
// floating-point ones lie elsewhere.
absl::Status DecodeTiff(absl::Span<const uint8_t> file, int channels,
                        Raster* raster);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_TIFF_H_
