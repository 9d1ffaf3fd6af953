#include "trainers/image/codec/image_file.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/exif.h"
#include "trainers/image/codec/png.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/codec/webp.h"
#include "trainers/image/image.h"

namespace gsg {

absl::StatusOr<ImageSize> ImageFileDecoder::Open(
    absl::Span<const uint8_t> file) {
  if (file.empty()) return absl::DataLossError("the file is empty");
  file_ = file;
  format_ = FormatOf(file);
  absl::StatusOr<ImageSize> size =
      absl::DataLossError("not a JPEG, PNG or WebP file, whatever its name");
  switch (format_) {
    case ImageFormat::kJpeg:
      size = jpeg_.Open(file);
      break;
    case ImageFormat::kPng:
      size = PngSize(file);
      break;
    case ImageFormat::kWebp:
      size = WebpSize(file);
      break;
    case ImageFormat::kUnknown:
      break;
  }
  if (!size.ok()) return size.status();
  stored_ = *size;
  orientation_ = ExifOrientation(file);
  const bool upright = orientation_ < 5;
  return upright ? stored_ : ImageSize{stored_.width, stored_.height};
}

absl::StatusOr<Image> ImageFileDecoder::Decode(int reduction) {
  if (format_ != ImageFormat::kJpeg) reduction = 1;
  absl::Status status;
  switch (format_) {
    case ImageFormat::kJpeg:
      status = jpeg_.Decode(file_, reduction, channels_, &raster_);
      break;
    case ImageFormat::kPng:
      status = DecodePng(file_, &raster_);
      break;
    case ImageFormat::kWebp:
      status = DecodeWebp(file_, &raster_);
      break;
    case ImageFormat::kUnknown:
      status = absl::FailedPreconditionError("no image is open");
      break;
  }
  if (!status.ok()) return status;
  return ToPlanes(raster_, orientation_, channels_, stored_, reduction, &chw_);
}

}  // namespace gsg
