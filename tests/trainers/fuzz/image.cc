// An image file. The input's first byte chooses channels and reduction.

#include "trainers/image/image.h"

#include <cstddef>
#include <cstdint>
#include <numeric>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/trainers/fuzz/check.h"
#include "trainers/image/codec/exif.h"
#include "trainers/image/codec/image_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::Span<const uint8_t> file(data + 1, size - 1);
  const int orientation = gsg::ExifOrientation(file);
  GSG_FUZZ_CHECK(orientation >= 1 && orientation <= 8);
  gsg::ImageFileDecoder decoder(data[0] % 2 == 0 ? 3 : 1);
  const absl::StatusOr<gsg::ImageSize> image_size = decoder.Open(file);
  if (!image_size.ok()) return 0;
  // A few bytes can stand for a hundred million pixels. That they are decoded
  // is no finding, but it is slow.
  if (int64_t{image_size->height} * image_size->width > 1 << 18) return 0;
  const absl::StatusOr<gsg::Image> image = decoder.Decode(1 << data[0] / 2 % 4);
  if (!image.ok()) return 0;
  // Reads every pixel.
  const size_t pixels = size_t(image->channels) * image->height * image->width;
  const uint64_t sum =
      std::accumulate(image->chw, image->chw + pixels, uint64_t{0});
  GSG_FUZZ_CHECK(sum <= 255 * pixels);
  return 0;
}
