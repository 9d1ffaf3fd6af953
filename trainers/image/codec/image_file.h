#ifndef GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_
#define GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/image.h"

namespace gsg {

// Makes images of the bytes of files of the formats that are read
// (kImageFormats), told apart by their contents, turned as the file says: by
// EXIF, or in TIFF and HEIF by the format's own means. One per thread. Nothing
// but memory is kept from one image to the next, and after an error not even
// that. Memory: the decoded pixels twice, and what the decoder of the format
// takes besides, which with the pixels is at most kMaxImageBytes. The pixels'
// is kept for the next image up to a multiple of what that needs
// (ResizeBuffer).
class ImageFileDecoder {
 public:
  // channels: of what it makes: 1 or 3, whatever the files hold, or how many
  // bands they all have (PNG with alpha, TIFF).
  explicit ImageFileDecoder(int channels) : channels_(channels) {}

  // Reads the header of `file`, which must stay valid for Decode, and returns
  // the image's size as it is meant to be looked at.
  // Errors: kDataLoss if it is empty, of another format (which is named),
  // corrupt, or absurdly large.
  absl::StatusOr<ImageSize> Open(absl::Span<const uint8_t> file);

  // The image opened last; a JPEG is reduced as asked, or more where it would
  // take too much memory; others are not. Pixels stay valid until the next
  // call.
  // Errors: kDataLoss if it is corrupt or cut off, or has not the channels that
  // are wanted; kFailedPrecondition if the last Open or Decode failed.
  absl::StatusOr<Image> Decode(int reduction);

  // Forgets the image that is open, and frees the memory.
  void Close();

 private:
  const int channels_;
  absl::Span<const uint8_t> file_;
  ImageFormat format_ = ImageFormat::kUnknown;
  int orientation_ = 1;
  ImageSize stored_;
  Raster raster_;
  std::vector<uint8_t> chw_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_IMAGE_FILE_H_
