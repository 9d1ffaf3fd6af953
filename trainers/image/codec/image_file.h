#ifndef GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_
#define GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/jpeg.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/image.h"

namespace gsg {

// Makes images of the bytes of JPEG, PNG and WebP files, told apart by their
// contents, turned as EXIF says. One per thread.
// Memory: the decoded pixels twice, at most 2 * 3 * kMaxPixels bytes, and what
// the decoder of the format takes besides; kept for the next image up to a
// multiple of what that needs (ResizeBuffer).
class ImageFileDecoder {
 public:
  // channels: of what it makes, 1 or 3, whatever the files hold.
  explicit ImageFileDecoder(int channels) : channels_(channels) {}

  // Reads the header of `file`, which must stay valid for Decode, and returns
  // the image's size as it is meant to be looked at.
  // Errors: kDataLoss if it is empty, of another format, corrupt, or absurdly
  // large.
  absl::StatusOr<ImageSize> Open(absl::Span<const uint8_t> file);

  // The image opened last; a JPEG is reduced as asked, others are not. Pixels
  // stay valid until the next call.
  // Errors: kDataLoss if it is corrupt or cut off.
  absl::StatusOr<Image> Decode(int reduction);

 private:
  const int channels_;
  absl::Span<const uint8_t> file_;
  ImageFormat format_ = ImageFormat::kUnknown;
  int orientation_ = 1;
  ImageSize stored_;
  JpegDecoder jpeg_;
  Raster raster_;
  std::vector<uint8_t> chw_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_
