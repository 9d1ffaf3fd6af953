#include "trainers/image/codec/image_file.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/bmp.h"
#include "trainers/image/codec/exif.h"
#include "trainers/image/codec/gif.h"
#include "trainers/image/codec/heif.h"
#include "trainers/image/codec/jpeg.h"
#include "trainers/image/codec/png.h"
#include "trainers/image/codec/pnm.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/codec/tiff.h"
#include "trainers/image/codec/webp.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

absl::Status NotRead(absl::Span<const uint8_t> file) {
  const absl::string_view format = OtherFormat(file);
  if (format.empty()) {
    return absl::DataLossError(
        absl::StrCat("not an image of a format that is read, whatever its "
                     "name; those are ",
                     kImageFormats));
  }
  return absl::DataLossError(absl::StrCat(format, ", whatever its name; ",
                                          kImageFormats, " files are read"));
}

// The size of the image as the format's decoder will give it, and how that must
// be turned.
absl::StatusOr<ImageSize> StoredSize(absl::Span<const uint8_t> file,
                                     ImageFormat format, int channels,
                                     int* orientation) {
  *orientation = ExifOrientation(file);
  switch (format) {
    case ImageFormat::kJpeg:
      return JpegSize(file);
    case ImageFormat::kPng:
      return PngSize(file, AreBands(channels));
    case ImageFormat::kWebp:
      return WebpSize(file);
    case ImageFormat::kTiff: {
      GSG_ASSIGN_OR_RETURN(const TiffHeader header,
                           ReadTiffHeader(file, channels));
      *orientation = header.orientation;
      return header.size;
    }
    case ImageFormat::kGif:
      return GifSize(file);
    case ImageFormat::kBmp:
      return BmpSize(file);
    case ImageFormat::kPnm:
      return PnmSize(file);
    case ImageFormat::kHeif:
      return HeifSize(file);
    case ImageFormat::kUnknown:
      break;
  }
  if (file.empty()) return absl::DataLossError("the file is empty");
  return NotRead(file);
}

}  // namespace

// A file that could not be read leaves nothing behind.
void ImageFileDecoder::Close() {
  file_ = {};
  format_ = ImageFormat::kUnknown;
  raster_ = Raster();
  chw_ = std::vector<uint8_t>();
}

absl::StatusOr<ImageSize> ImageFileDecoder::Open(
    absl::Span<const uint8_t> file) {
  const ImageFormat format = FormatOf(file);
  int orientation = 1;
  const absl::StatusOr<ImageSize> size =
      StoredSize(file, format, channels_, &orientation);
  if (!size.ok()) {
    Close();
    return size.status();
  }
  file_ = file;
  format_ = format;
  stored_ = *size;
  orientation_ = orientation;
  const bool upright = orientation_ < 5;
  return upright ? stored_ : ImageSize{stored_.width, stored_.height};
}

absl::StatusOr<Image> ImageFileDecoder::Decode(int reduction) {
  if (format_ != ImageFormat::kJpeg) reduction = 1;
  const bool as_bands = AreBands(channels_);
  absl::Status status;
  switch (format_) {
    case ImageFormat::kJpeg:
      status =
          DecodeJpeg(file_, as_bands ? 3 : channels_, &reduction, &raster_);
      break;
    case ImageFormat::kPng:
      status = DecodePng(file_, /*keep_alpha=*/as_bands, &raster_);
      break;
    case ImageFormat::kWebp:
      status = DecodeWebp(file_, &raster_);
      break;
    case ImageFormat::kTiff:
      status = DecodeTiff(file_, channels_, &raster_);
      break;
    case ImageFormat::kGif:
      status = DecodeGif(file_, &raster_);
      break;
    case ImageFormat::kBmp:
      status = DecodeBmp(file_, &raster_);
      break;
    case ImageFormat::kPnm:
      status = DecodePnm(file_, &raster_);
      break;
    case ImageFormat::kHeif:
      status = DecodeHeif(file_, &raster_);
      break;
    case ImageFormat::kUnknown:
      status = absl::FailedPreconditionError("no image is open");
      break;
  }
  if (status.ok() && as_bands && raster_.channels != channels_) {
    status = WrongChannels(raster_.channels, channels_);
  }
  if (!status.ok()) {
    Close();
    return status;
  }
  return ToPlanes(raster_, orientation_, channels_, stored_, reduction, &chw_);
}

}  // namespace gsg
