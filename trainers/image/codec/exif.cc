#include "trainers/image/codec/exif.h"

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "trainers/image/codec/signature.h"

namespace gsg {
namespace {

using absl::string_view;

constexpr string_view kExifPrefix("Exif\0\0", 6);
constexpr string_view kXmpPrefix("http://ns.adobe.com/xap/1.0/\0", 29);

// The blocks of a file that may say how to turn it.
struct Blocks {
  std::optional<std::string> exif;
  std::optional<std::string> raw_profile;  // serves where there is no exif
  std::string xmp;
};

// The part from `begin` on of at most `size` bytes; empty if there is none.
string_view Part(string_view bytes, uint64_t begin, uint64_t size) {
  return begin < bytes.size() ? bytes.substr(begin, size) : string_view();
}

// Unsigned numbers of a byte order; 0 beyond the end.
class Numbers {
 public:
  Numbers(string_view bytes, bool big_endian)
      : bytes_(bytes), big_endian_(big_endian) {}

  bool Has(uint64_t at, uint64_t size) const {
    return Part(bytes_, at, size).size() == size;
  }

  uint64_t Get(uint64_t at, int size) const {
    if (!Has(at, size)) return 0;
    uint64_t value = 0;
    for (int i = 0; i < size; ++i) {
      const char byte = bytes_[at + (big_endian_ ? i : size - 1 - i)];
      value = value << 8 | static_cast<uint8_t>(byte);
    }
    return value;
  }

 private:
  string_view bytes_;
  bool big_endian_;
};

template <class To, class From>
To SameBits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// TIFF's types of values, by number.
enum Type : uint64_t {
  kByte = 1,
  kAscii,
  kShort,
  kLong,
  kRational,
  kSignedByte,
  kUndefined,
  kSignedShort,
  kSignedLong,
  kSignedRational,
  kFloat,
  kDouble,
  kDirectory,
  kLong8 = 16,
};

// 0 for a type that does not exist.
int SizeOf(uint64_t type) {
  constexpr int kSizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
  return type <= kDirectory ? kSizes[type] : type == kLong8 ? 8 : 0;
}

// The number at `at`; 0, which is no orientation, for types that hold none.
// Negative ones come out as large ones, which are none either.
double Value(const Numbers& numbers, uint64_t type, uint64_t at) {
  const uint64_t bits = numbers.Get(at, SizeOf(type));
  switch (type) {
    case kByte:
    case kAscii:
    case kUndefined:
      return 0;
    case kRational:
    case kSignedRational: {
      const uint64_t denominator = numbers.Get(at + 4, 4);
      return denominator == 0 ? 0.
                              : static_cast<double>(numbers.Get(at, 4)) /
                                    static_cast<double>(denominator);
    }
    case kFloat:
      return SameBits<float>(static_cast<uint32_t>(bits));
    case kDouble:
      return SameBits<double>(bits);
    default:
      return static_cast<double>(bits);
  }
}

// A TIFF block: byte order, 42, the offset of a directory of 12-byte entries.
// Nothing if it does not have the tag.
std::optional<int> TiffOrientation(string_view tiff) {
  constexpr uint64_t kOrientation = 274;
  for (int i = 0; i < 2; ++i) absl::ConsumePrefix(&tiff, kExifPrefix);
  if (tiff.empty()) return std::nullopt;
  const bool big_endian = absl::StartsWith(tiff, "MM");
  if (!big_endian && !absl::StartsWith(tiff, "II")) return 1;
  const Numbers numbers(tiff, big_endian);
  const uint64_t directory = numbers.Get(4, 4);
  const uint64_t entries = numbers.Get(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * i;
    if (!numbers.Has(entry, 12)) break;
    if (numbers.Get(entry, 2) != kOrientation) continue;
    const uint64_t type = numbers.Get(entry + 2, 2);
    const uint64_t size = SizeOf(type) * numbers.Get(entry + 4, 4);
    const uint64_t at = size > 4 ? numbers.Get(entry + 8, 4) : entry + 8;
    if (size == 0 || !numbers.Has(at, size)) continue;
    const double value = Value(numbers, type, at);
    for (int orientation = 2; orientation <= 8; ++orientation) {
      if (value == orientation) return orientation;
    }
    return 1;
  }
  return std::nullopt;
}

// tiff:Orientation, as an attribute or as an element.
int XmpOrientation(string_view xmp) {
  constexpr string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos;
       at = xmp.find(kName, at + 1)) {
    string_view rest = xmp.substr(at + kName.size());
    if (!absl::ConsumePrefix(&rest, "=\"") &&
        !absl::ConsumePrefix(&rest, ">")) {
      continue;
    }
    if (rest.empty() || !absl::ascii_isdigit(rest[0])) continue;
    const int value = rest[0] - '0';
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

// Segments of marker, length (which counts itself) and payload, up to the
// first scan. Fill bytes and stray ones between them are passed over.
Blocks FindInJpeg(string_view file) {
  constexpr uint8_t kApp1 = 0xE1;
  constexpr uint8_t kStartOfScan = 0xDA;
  Blocks blocks;
  const Numbers numbers(file, /*big_endian=*/true);
  for (uint64_t at = 2; at + 1 < file.size();) {
    const auto marker = static_cast<uint8_t>(file[at + 1]);
    if (file[at] != '\xFF' || marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker == kStartOfScan) break;
    // 0 is an escaped FF; none of these has a payload.
    if (marker <= 1 || (marker >= 0xD0 && marker <= 0xD9)) {
      at += 2;
      continue;
    }
    const uint64_t length = numbers.Get(at + 2, 2);
    if (length < 2) break;
    const string_view payload = Part(file, at + 4, length - 2);
    if (marker == kApp1 && absl::StartsWith(payload, kExifPrefix)) {
      // What is too long for a segment goes on in the next.
      if (blocks.exif.has_value()) {
        blocks.exif->append(payload.substr(kExifPrefix.size()));
      } else {
        blocks.exif = std::string(payload);
      }
    } else if (marker == kApp1 && absl::StartsWith(payload, kXmpPrefix)) {
      blocks.xmp = std::string(payload.substr(kXmpPrefix.size()));
    }
    at += 2 + length;
  }
  return blocks;
}

// Takes what is before the next 0 byte off the front of *bytes, and the byte.
string_view TakeString(string_view* bytes) {
  const size_t end = bytes->find('\0');
  const string_view taken = bytes->substr(0, end);
  bytes->remove_prefix(end == bytes->npos ? bytes->size() : end + 1);
  return taken;
}

// Empty if it is corrupt or longer than any such text is.
std::string Inflate(string_view packed) {
  constexpr uLongf kMaxText = 1 << 20;
  uLongf size = kMaxText;
  std::string text(size, '\0');
  if (uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()),
                 packed.size()) != Z_OK) {
    return "";
  }
  text.resize(size);
  return text;
}

// ImageMagick's way to keep binary data in a text: a line feed, what it is, its
// size, and hexadecimal digits, a line each.
std::string FromRawProfile(string_view text) {
  for (int i = 0; i < 3; ++i) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  std::string bytes;
  int digits = 0;
  int value = 0;
  for (const char c : text) {
    if (absl::ascii_isspace(c)) continue;
    if (!absl::ascii_isxdigit(c)) return "";
    value =
        16 * value + (c <= '9' ? c - '0' : absl::ascii_tolower(c) - 'a' + 10);
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<char>(value));
      value = 0;
    }
  }
  return bytes;
}

// A text chunk: keyword, 0, and the text, packed or not.
void ReadText(string_view chunk, string_view payload, Blocks* blocks) {
  constexpr string_view kRawProfile = "Raw profile type exif";
  constexpr string_view kXmp = "XML:com.adobe.xmp";
  const string_view keyword = TakeString(&payload);
  if (keyword == "exif" && chunk == "tEXt") blocks->exif = std::string(payload);
  // Others are not worth unpacking.
  if (keyword != kRawProfile && keyword != kXmp) return;
  bool packed = chunk == "zTXt";
  if (packed) {
    payload.remove_prefix(payload.empty() ? 0 : 1);  // the method
  } else if (chunk == "iTXt") {
    if (payload.size() < 2) return;
    packed = payload[0] != 0;
    payload.remove_prefix(2);
    TakeString(&payload);  // language
    TakeString(&payload);  // keyword in that
  }
  std::string text = packed ? Inflate(payload) : std::string(payload);
  if (keyword == kXmp) {
    blocks->xmp = std::move(text);
  } else {
    blocks->raw_profile = FromRawProfile(text);
  }
}

// Chunks of length, name, payload and checksum.
Blocks FindInPng(string_view file) {
  Blocks blocks;
  const Numbers numbers(file, /*big_endian=*/true);
  for (uint64_t at = 8; at < file.size();) {
    const uint64_t length = numbers.Get(at, 4);
    const string_view name = Part(file, at + 4, 4);
    const string_view payload = Part(file, at + 8, length);
    if (name == "eXIf") {
      blocks.exif = std::string(payload);
    } else if (name == "tEXt" || name == "zTXt" || name == "iTXt") {
      ReadText(name, payload, &blocks);
    }
    at += 12 + length;
  }
  return blocks;
}

// Chunks of name, length and payload, padded to even lengths.
Blocks FindInWebp(string_view file) {
  Blocks blocks;
  const Numbers numbers(file, /*big_endian=*/false);
  for (uint64_t at = 12; at < file.size();) {
    const uint64_t length = numbers.Get(at + 4, 4);
    const string_view name = Part(file, at, 4);
    const string_view payload = Part(file, at + 8, length);
    if (name == "EXIF" && !blocks.exif.has_value()) {
      blocks.exif = std::string(payload);
    } else if (name == "XMP " && blocks.xmp.empty()) {
      blocks.xmp = std::string(payload);
    }
    at += 8 + length + length % 2;
  }
  return blocks;
}

Blocks Find(absl::Span<const uint8_t> file) {
  const string_view bytes(reinterpret_cast<const char*>(file.data()),
                          file.size());
  switch (FormatOf(file)) {
    case ImageFormat::kJpeg:
      return FindInJpeg(bytes);
    case ImageFormat::kPng:
      return FindInPng(bytes);
    case ImageFormat::kWebp:
      return FindInWebp(bytes);
    default:  // they do not have it, or their decoders turn them
      break;
  }
  return {};
}

}  // namespace

int ExifOrientation(absl::Span<const uint8_t> file) {
  const Blocks blocks = Find(file);
  const std::optional<std::string>& exif =
      blocks.exif.has_value() ? blocks.exif : blocks.raw_profile;
  std::optional<int> orientation;
  if (exif.has_value()) orientation = TiffOrientation(*exif);
  return orientation.has_value() ? *orientation : XmpOrientation(blocks.xmp);
}

}  // namespace gsg
