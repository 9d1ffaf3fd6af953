#include "trainers/image/codec/image_file.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/image/codec/exif.h"
#include "trainers/image/codec/jpeg.h"
#include "trainers/image/codec/png.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/codec/signature.h"
#include "trainers/image/codec/webp.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

absl::Status NotRead(absl::Span<const uint8_t> file) {
  const absl::string_view format = OtherFormat(file);
  if (format.empty()) {
    return absl::DataLossError(
        "not a JPEG, PNG or WebP file, whatever its name");
  }
  return absl::DataLossError(absl::StrCat(
      format, ", whatever its name; JPEG, PNG and WebP files are read"));
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
  absl::StatusOr<ImageSize> size = absl::DataLossError("the file is empty");
  const ImageFormat format = FormatOf(file);
  switch (format) {
    case ImageFormat::kJpeg:
      size = JpegSize(file);
      break;
    case ImageFormat::kPng:
      size = PngSize(file);
      break;
    case ImageFormat::kWebp:
      size = WebpSize(file);
      break;
    case ImageFormat::kUnknown:
      if (!file.empty()) size = NotRead(file);
      break;
  }
  if (!size.ok()) {
    Close();
    return size.status();
  }
  file_ = file;
  format_ = format;
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
      status = DecodeJpeg(file_, channels_, &reduction, &raster_);
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
  if (!status.ok()) {
    Close();
    return status;
  }
  return ToPlanes(raster_, orientation_, channels_, stored_, reduction, &chw_);
}

}  // namespace gsg
