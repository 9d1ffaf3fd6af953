// An image file, between two good ones: whatever it is, it leaves nothing
// behind in the reader. The input's first byte chooses channels, reduction, and
// the good ones. HEIF is left out: libheif is the machine's.

#include "trainers/image/image.h"

#include <turbojpeg.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/trainers/fuzz/check.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/codec/encode_more.h"
#include "trainers/image/codec/exif.h"
#include "trainers/image/codec/image_file.h"

namespace gsg {
namespace {

std::vector<FileBytes> GoodFiles() {
  constexpr int kHeight = 24;
  constexpr int kWidth = 17;
  FileBytes rgb;
  std::vector<FileBytes> rows(kHeight);
  for (int i = 0; i < 3 * kHeight * kWidth; ++i) {
    rgb.push_back(static_cast<uint8_t>(i * 7 % 251));
    rows[i / (3 * kWidth)].push_back(rgb.back());
  }
  return {EncodeJpeg(rgb, kHeight, kWidth, TJPF_RGB, TJSAMP_420),
          EncodeJpeg(rgb, kWidth, kHeight, TJPF_RGB, TJSAMP_444,
                     TJFLAG_PROGRESSIVE),
          EncodePng(rows, kWidth, {}),
          EncodeWebp(rgb, kHeight, kWidth),
          EncodeTiff(rgb, kHeight, kWidth),
          EncodeBmp(rgb, kHeight, kWidth),
          EncodeGif(FileBytes(kHeight * kWidth, 9), kHeight, kWidth),
          EncodePpm(rgb, kHeight, kWidth)};
}

// Empty if it cannot be read, or is too large: a few bytes can stand for a
// hundred million pixels. That they are decoded is no finding, but it is slow.
std::vector<uint8_t> Pixels(absl::Span<const uint8_t> file, int reduction,
                            ImageFileDecoder* decoder) {
  constexpr int64_t kMaxPixels = 1 << 18;
  const absl::StatusOr<ImageSize> size = decoder->Open(file);
  if (!size.ok() || int64_t{size->height} * size->width > kMaxPixels) return {};
  const absl::StatusOr<Image> image = decoder->Decode(reduction);
  if (!image.ok()) return {};
  const size_t count = size_t(image->channels) * image->height * image->width;
  if (image->chw16 == nullptr) return {image->chw, image->chw + count};
  const auto* bytes = reinterpret_cast<const uint8_t*>(image->chw16);
  return {bytes, bytes + 2 * count};
}

void Run(const uint8_t* data, size_t size) {
  static const int no_libheif = setenv("GSG_LIBHEIF", "none", 1);
  GSG_FUZZ_CHECK(no_libheif == 0);
  static const auto* good = new std::vector<FileBytes>(GoodFiles());
  const absl::Span<const uint8_t> file(data + 1, size - 1);
  const int orientation = ExifOrientation(file);
  GSG_FUZZ_CHECK(orientation >= 1 && orientation <= 8);
  const int channels = data[0] % 2 == 0 ? 3 : 1;
  const int reduction = 1 << data[0] / 2 % 4;
  const FileBytes& before = (*good)[data[0] / 8 % 4];
  const FileBytes& after = (*good)[(data[0] / 32 + data[0] % 2 * 4) % 8];
  ImageFileDecoder fresh(channels);
  const std::vector<uint8_t> expected = Pixels(after, reduction, &fresh);
  GSG_FUZZ_CHECK(!expected.empty());
  ImageFileDecoder decoder(channels);
  GSG_FUZZ_CHECK(!Pixels(before, reduction, &decoder).empty());
  Pixels(file, reduction, &decoder);
  ImageFileDecoder bands(2 + data[0] % 4);
  Pixels(file, reduction, &bands);
  GSG_FUZZ_CHECK(Pixels(after, reduction, &decoder) == expected);
}

}  // namespace
}  // namespace gsg

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) gsg::Run(data, size);
  return 0;
}
