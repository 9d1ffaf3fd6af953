#include "trainers/image/codec/exif.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/image/codec/signature.h"

namespace gsg {
namespace {

using Bytes = absl::Span<const uint8_t>;

constexpr absl::string_view kExifPrefix("Exif\0\0", 6);

// The part from `begin` on of at most `size` bytes; empty if there is none.
Bytes Part(Bytes bytes, uint64_t begin, uint64_t size) {
  return begin < bytes.size() ? bytes.subspan(begin, size) : Bytes();
}

// Unsigned numbers of a byte order; 0 beyond the end.
class Numbers {
 public:
  Numbers(Bytes bytes, bool big_endian)
      : bytes_(bytes), big_endian_(big_endian) {}

  uint32_t Get(uint64_t at, int size) const {
    const Bytes part = Part(bytes_, at, size);
    if (part.size() < static_cast<size_t>(size)) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      value = value << 8 | part[big_endian_ ? i : size - 1 - i];
    }
    return value;
  }

 private:
  Bytes bytes_;
  bool big_endian_;
};

// A TIFF block: byte order, 42, the offset of a directory of 12-byte entries.
int TiffOrientation(Bytes tiff) {
  constexpr uint32_t kOrientation = 274;
  constexpr uint32_t kShort = 3;
  if (StartsWith(tiff, kExifPrefix)) tiff.remove_prefix(kExifPrefix.size());
  const bool big_endian = StartsWith(tiff, "MM");
  if (!big_endian && !StartsWith(tiff, "II")) return 1;
  const Numbers numbers(tiff, big_endian);
  const uint64_t directory = numbers.Get(4, 4);
  const uint32_t entries = numbers.Get(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * uint64_t{i};
    if (numbers.Get(entry, 2) != kOrientation) continue;
    const uint32_t value = numbers.Get(entry + 8, 2);
    const bool sound =
        numbers.Get(entry + 2, 2) == kShort && value >= 1 && value <= 8;
    return sound ? static_cast<int>(value) : 1;
  }
  return 1;
}

// Segments of marker, length (which counts itself) and payload, up to the
// first scan.
Bytes FindInJpeg(Bytes file) {
  constexpr uint32_t kApp1 = 0xFFE1;
  constexpr uint32_t kStartOfScan = 0xFFDA;
  const Numbers numbers(file, /*big_endian=*/true);
  for (uint64_t at = 2; at < file.size();) {
    const uint32_t marker = numbers.Get(at, 2);
    const uint32_t length = numbers.Get(at + 2, 2);
    if (marker < 0xFF00 || marker == kStartOfScan || length < 2) break;
    const Bytes payload = Part(file, at + 4, length - 2);
    if (marker == kApp1 && StartsWith(payload, kExifPrefix)) return payload;
    at += 2 + uint64_t{length};
  }
  return {};
}

// Chunks of length, name, payload and checksum.
Bytes FindInPng(Bytes file) {
  const Numbers numbers(file, /*big_endian=*/true);
  for (uint64_t at = 8; at < file.size();) {
    const uint64_t length = numbers.Get(at, 4);
    if (StartsWith(Part(file, at + 4, 4), "eXIf")) {
      return Part(file, at + 8, length);
    }
    at += 12 + length;
  }
  return {};
}

// Chunks of name, length and payload, padded to even lengths.
Bytes FindInWebp(Bytes file) {
  const Numbers numbers(file, /*big_endian=*/false);
  for (uint64_t at = 12; at < file.size();) {
    const uint64_t length = numbers.Get(at + 4, 4);
    if (StartsWith(Part(file, at, 4), "EXIF")) {
      return Part(file, at + 8, length);
    }
    at += 8 + length + length % 2;
  }
  return {};
}

}  // namespace

int ExifOrientation(absl::Span<const uint8_t> file) {
  switch (FormatOf(file)) {
    case ImageFormat::kJpeg:
      return TiffOrientation(FindInJpeg(file));
    case ImageFormat::kPng:
      return TiffOrientation(FindInPng(file));
    case ImageFormat::kWebp:
      return TiffOrientation(FindInWebp(file));
    case ImageFormat::kUnknown:
      break;
  }
  return 1;
}

}  // namespace gsg
