#include "trainers/image/codec/webp.h"

#include <webp/decode.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {

absl::StatusOr<ImageSize> WebpSize(absl::Span<const uint8_t> file) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) {
    return absl::DataLossError("WebP: the header is cut off or corrupt");
  }
  if (features.has_animation) {
    return absl::UnimplementedError("WebP: animations are not read");
  }
  if (absl::Status s = CheckSize(features.height, features.width); !s.ok()) {
    return s;
  }
  return ImageSize{features.height, features.width};
}

absl::Status DecodeWebp(absl::Span<const uint8_t> file, Raster* raster) {
  const absl::StatusOr<ImageSize> size = WebpSize(file);
  if (!size.ok()) return size.status();
  raster->Resize(size->height, size->width, 3);
  if (WebPDecodeRGBInto(file.data(), file.size(), raster->pixels.data(),
                        raster->pixels.size(), 3 * size->width) == nullptr) {
    return absl::DataLossError("WebP: the pixels are cut off or corrupt");
  }
  return absl::OkStatus();
}

}  // namespace gsg
