#include "trainers/image/codec/jpeg.h"

#include <turbojpeg.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// Progressive files with a thousand scans take minutes: refused.
constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;

uint8_t Product(int ink, int black) {
  return static_cast<uint8_t>((ink * black + 127) / 255);
}

// [C M Y K]* to [R G B]*.
void InksToColors(const Raster& inks, Raster* colors) {
  const size_t n = static_cast<size_t>(inks.height) * inks.width;
  const uint8_t* in = inks.pixels.data();
  uint8_t* out = colors->pixels.data();
  for (size_t i = 0; i < n; ++i, in += 4, out += 3) {
    for (int c = 0; c < 3; ++c) out[c] = Product(in[c], in[3]);
  }
}

}  // namespace

JpegDecoder::JpegDecoder() : handle_(tjInitDecompress()) {}

JpegDecoder::~JpegDecoder() {
  if (handle_ != nullptr) tjDestroy(handle_);
}

absl::Status JpegDecoder::Damaged() const {
  return absl::DataLossError(absl::StrCat("JPEG: ", tjGetErrorStr2(handle_)));
}

absl::StatusOr<ImageSize> JpegDecoder::Open(absl::Span<const uint8_t> file) {
  if (handle_ == nullptr) {
    return absl::ResourceExhaustedError("no memory for a JPEG decoder");
  }
  int subsampling, colorspace;
  if (tjDecompressHeader3(handle_, file.data(), file.size(), &size_.width,
                          &size_.height, &subsampling, &colorspace) != 0) {
    return Damaged();
  }
  // A file that ends before its frame counts as one of no size.
  if (size_.height == 0 || size_.width == 0) {
    return absl::DataLossError(
        absl::StrCat("JPEG: no picture in the first ", file.size(), " bytes"));
  }
  if (absl::Status s = CheckSize(size_.height, size_.width); !s.ok()) return s;
  four_inks_ = colorspace == TJCS_CMYK || colorspace == TJCS_YCCK;
  return size_;
}

absl::Status JpegDecoder::Decode(absl::Span<const uint8_t> file, int reduction,
                                 int channels, Raster* raster) {
  const tjscalingfactor scale = {1, reduction};
  const int width = TJSCALED(size_.width, scale);
  const int height = TJSCALED(size_.height, scale);
  const int format = four_inks_      ? TJPF_CMYK
                     : channels == 1 ? TJPF_GRAY
                                     : TJPF_RGB;
  Raster* target = four_inks_ ? &inks_ : raster;
  target->Resize(height, width, tjPixelSize[format]);
  if (tjDecompress2(handle_, file.data(), file.size(), target->pixels.data(),
                    width, /*pitch=*/0, height, format, kFlags) != 0) {
    return Damaged();
  }
  if (four_inks_) {
    raster->Resize(height, width, 3);
    InksToColors(inks_, raster);
  }
  return absl::OkStatus();
}

}  // namespace gsg
