#include "trainers/image/codec/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

absl::StatusOr<WebPBitstreamFeatures> Features(absl::Span<const uint8_t> file) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) {
    return absl::DataLossError("WebP: the header is cut off or corrupt");
  }
  // 3 bytes of the result, and what the decoder holds: 4 of a lossless image,
  // or of an animation two canvases of 4 and a frame.
  const int64_t bytes = features.has_animation ? 15 : 7;
  if (absl::Status s = CheckSize(features.height, features.width, bytes);
      !s.ok()) {
    return s;
  }
  return features;
}

absl::Status DecodeFirstFrame(absl::Span<const uint8_t> file, Raster* raster) {
  const WebPData data = {file.data(), file.size()};
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  uint8_t* rgba = nullptr;
  int timestamp = 0;
  if (decoder == nullptr ||
      !WebPAnimDecoderGetNext(decoder.get(), &rgba, &timestamp)) {
    return absl::DataLossError("WebP: the animation is cut off or corrupt");
  }
  const size_t pixels = raster->pixels.size() / 3;
  uint8_t* out = raster->pixels.data();
  for (size_t i = 0; i < pixels; ++i, rgba += 4) {
    for (int c = 0; c < 3; ++c) *out++ = rgba[c];
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ImageSize> WebpSize(absl::Span<const uint8_t> file) {
  const absl::StatusOr<WebPBitstreamFeatures> features = Features(file);
  if (!features.ok()) return features.status();
  return ImageSize{features->height, features->width};
}

absl::Status DecodeWebp(absl::Span<const uint8_t> file, Raster* raster) {
  const absl::StatusOr<WebPBitstreamFeatures> features = Features(file);
  if (!features.ok()) return features.status();
  raster->Resize(features->height, features->width, 3);
  if (features->has_animation) return DecodeFirstFrame(file, raster);
  if (WebPDecodeRGBInto(file.data(), file.size(), raster->pixels.data(),
                        raster->pixels.size(),
                        3 * features->width) == nullptr) {
    return absl::DataLossError("WebP: the pixels are cut off or corrupt");
  }
  return absl::OkStatus();
}

}  // namespace gsg
