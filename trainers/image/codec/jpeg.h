#ifndef GSG_TRAINERS_IMAGE_CODEC_JPEG_H_
#define GSG_TRAINERS_IMAGE_CODEC_JPEG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

// Decodes JPEG files with libjpeg-turbo: grey, YCbCr, RGB, CMYK and YCCK;
// baseline and progressive. One per thread.
// Memory beyond the raster: a few rows; progressive, 6 bytes a pixel of the
// file; with four inks, 4 bytes a pixel.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();

  // The stored size, from the header.
  // Errors: kDataLoss for what libjpeg-turbo does not understand, or an absurd
  // size.
  absl::StatusOr<ImageSize> Open(absl::Span<const uint8_t> file);

  // The pixels of `file`, the one opened last, with sides divided by
  // `reduction` (1, 2, 4 or 8) and rounded up; for `channels` = 1 the file's
  // own luma, otherwise RGB. Four inks always give RGB: they are taken to be
  // stored inverted, as Adobe does and Pillow assumes, so that R = C K / 255
  // and so on.
  // Errors: kDataLoss for anything that libjpeg-turbo so much as warns of,
  // such as a file that is cut off.
  absl::Status Decode(absl::Span<const uint8_t> file, int reduction,
                      int channels, Raster* raster);

 private:
  absl::Status Damaged() const;

  void* handle_;  // a tjhandle
  ImageSize size_;
  bool four_inks_ = false;
  Raster inks_;  // C, M, Y and K, before they become colours
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_JPEG_H_
