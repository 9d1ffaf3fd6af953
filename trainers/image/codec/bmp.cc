#include "trainers/image/codec/bmp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

constexpr int64_t kFileHeader = 14;

enum Compression : uint32_t { kPlain, kRunLength8, kRunLength4, kMasks };

// Where in a pixel a color lies.
struct Mask {
  uint32_t bits = 0;  // moved to the right
  int shift = 0;
};

struct Header {
  int height = 0, width = 0;
  bool from_top = false;
  int bits = 0;  // a pixel
  uint32_t compression = kPlain;
  Mask masks[3];              // of R, G, B, for 16 bits and more
  int64_t palette_at = 0;     // blue, green, red
  int64_t palette_entry = 4;  // bytes
  int64_t palette_size = 0;   // entries, those that the file has
  int64_t pixels_at = 0;

  // Bytes of the pixels of a row, and with what fills it up.
  int64_t row() const { return (int64_t{width} * bits + 7) / 8; }
  int64_t stride() const { return (row() + 3) / 4 * 4; }
  bool run_length() const {
    return compression == kRunLength8 || compression == kRunLength4;
  }
};

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("BMP: ", what));
}

// A little-endian number; 0 beyond the end.
uint32_t Number(absl::Span<const uint8_t> file, int64_t at, int size) {
  if (at + size > static_cast<int64_t>(file.size())) return 0;
  uint32_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | file[at + i];
  return value;
}

Mask MaskOf(uint32_t bits) {
  Mask mask;
  if (bits == 0) return mask;
  for (mask.bits = bits; mask.bits % 2 == 0; mask.bits /= 2) ++mask.shift;
  return mask;
}

// Of 16 bits 5 each, of more 8 each, unless the file has its own.
absl::Status ReadMasks(absl::Span<const uint8_t> file, int64_t at,
                       Header* header) {
  uint32_t masks[3] = {0xFF0000, 0xFF00, 0xFF};
  if (header->bits == 16) {
    for (int c = 0; c < 3; ++c) masks[c] = 31u << (10 - 5 * c);
  }
  if (header->compression == kMasks) {
    uint32_t own[3];
    for (int c = 0; c < 3; ++c) own[c] = Number(file, at + 4 * c, 4);
    if ((own[0] | own[1] | own[2]) != 0) std::copy(own, own + 3, masks);
  }
  for (int c = 0; c < 3; ++c) {
    header->masks[c] = MaskOf(masks[c]);
    const uint32_t bits = header->masks[c].bits;
    if ((bits & (bits + 1)) != 0 || bits > 0xFFFF) {
      return Damaged("a color's mask makes no sense");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Header> ReadHeader(absl::Span<const uint8_t> file) {
  const auto size = static_cast<int64_t>(file.size());
  const int64_t header_size = Number(file, kFileHeader, 4);
  const int64_t end = kFileHeader + header_size;
  if (size < kFileHeader + 12 || size < end) {
    return Damaged("the header is cut off");
  }
  Header header;
  int64_t height = 0, width = 0, colors = 0;
  header.pixels_at = Number(file, 10, 4);
  if (header_size == 12) {  // OS/2 1
    width = Number(file, 18, 2);
    height = Number(file, 20, 2);
    header.bits = static_cast<int>(Number(file, 24, 2));
    header.palette_entry = 3;
  } else if (header_size >= 40) {
    width = static_cast<int32_t>(Number(file, 18, 4));
    height = static_cast<int32_t>(Number(file, 22, 4));
    header.bits = static_cast<int>(Number(file, 28, 2));
    header.compression = Number(file, 30, 4);
    colors = Number(file, 46, 4);
  } else {
    return Damaged("the header makes no sense");
  }
  header.from_top = height < 0;
  height = std::abs(height);
  GSG_RETURN_IF_ERROR(CheckSize(height, width, 4));
  header.height = static_cast<int>(height);
  header.width = static_cast<int>(width);

  const int bits = header.bits;
  const bool palette = bits == 1 || bits == 4 || bits == 8;
  const bool direct = bits == 16 || bits == 24 || bits == 32;
  const bool known = header.compression == kPlain ||
                     (header.compression == kMasks && direct) ||
                     (header.compression == kRunLength8 && bits == 8) ||
                     (header.compression == kRunLength4 && bits == 4);
  if (!known || !(palette || direct)) {
    return Damaged(absl::StrCat(bits, " bits a pixel in compression ",
                                header.compression,
                                ", which is not read (1, 4, 8, 16, 24 and 32 "
                                "bits, masks and run lengths are)"));
  }
  if (direct) {
    GSG_RETURN_IF_ERROR(ReadMasks(file, kFileHeader + 40, &header));
  } else {
    const int64_t most = int64_t{1} << bits;
    header.palette_size = colors == 0 ? most : std::min(colors, most);
    header.palette_at = end;
    // Some programs forget that the palette lies before the pixels.
    if (header.pixels_at == end) {
      header.pixels_at += header.palette_size * header.palette_entry;
    }
    const int64_t before = std::min(header.pixels_at, size);
    header.palette_size =
        std::min(header.palette_size,
                 std::max<int64_t>(0, before - end) / header.palette_entry);
  }
  // Two bytes of a run-length code go on by 255 rows and columns at most.
  const int64_t wanted = header.run_length()
                             ? height * width / (255 * 255)
                             : header.stride() * (height - 1) + header.row();
  if (header.pixels_at < end || header.pixels_at > size - wanted) {
    return Damaged(absl::StrCat(width, " x ", height, " pixels in ", size,
                                " bytes; it is cut off, or its header is "
                                "wrong"));
  }
  return header;
}

// The color numbers of a run-length encoded image, from the first row of the
// file, a byte each.
absl::StatusOr<std::vector<uint8_t>> Unpack(absl::Span<const uint8_t> file,
                                            const Header& header) {
  const bool nibbles = header.compression == kRunLength4;
  const int64_t width = header.width;
  std::vector<uint8_t> pixels(width * header.height);
  int64_t x = 0, y = 0;
  const auto put = [&](uint8_t index) {
    if (x < width && y < header.height) pixels[y * width + x] = index;
    ++x;
  };
  const auto nibble = [](uint8_t byte, int i) {
    return static_cast<uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15);
  };
  const auto size = static_cast<int64_t>(file.size());
  for (int64_t at = header.pixels_at; at + 1 < size;) {
    const int count = file[at];
    const uint8_t value = file[at + 1];
    at += 2;
    if (count > 0) {
      for (int i = 0; i < count; ++i) {
        put(nibbles ? nibble(value, i) : value);
      }
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      return pixels;
    } else if (value == 2) {
      if (at + 1 >= size) break;
      x += file[at];
      y += file[at + 1];
      at += 2;
    } else {
      const int64_t bytes = nibbles ? (value + 1) / 2 : value;
      if (at + bytes > size) break;
      for (int i = 0; i < value; ++i) {
        put(nibbles ? nibble(file[at + i / 2], i) : file[at + i]);
      }
      at += (bytes + 1) / 2 * 2;
    }
  }
  // Without its end, but with all pixels.
  if (y >= header.height || (y == header.height - 1 && x >= width)) {
    return pixels;
  }
  return Damaged("the pixels are cut off");
}

// The colors of numbers 0 to 255, R, G and B.
std::vector<uint8_t> Palette(absl::Span<const uint8_t> file,
                             const Header& header) {
  std::vector<uint8_t> colors(3 * 256);
  for (int64_t i = 0; i < header.palette_size; ++i) {
    const int64_t at = header.palette_at + i * header.palette_entry;
    for (int c = 0; c < 3; ++c) colors[3 * i + c] = file[at + 2 - c];
  }
  return colors;
}

// The number of pixel x in a row of the file.
int Index(const uint8_t* row, int64_t x, int bits) {
  const int64_t bit = x * bits;
  const int shift = 8 - bits - static_cast<int>(bit % 8);
  return row[bit / 8] >> shift & ((1 << bits) - 1);
}

uint8_t Color(uint32_t pixel, const Mask& mask) {
  const uint32_t value = pixel >> mask.shift & mask.bits;
  if (mask.bits == 0) return 0;
  return static_cast<uint8_t>(value * 255 / mask.bits);
}

}  // namespace

absl::StatusOr<ImageSize> BmpSize(absl::Span<const uint8_t> file) {
  GSG_ASSIGN_OR_RETURN(const Header header, ReadHeader(file));
  return ImageSize{header.height, header.width};
}

absl::Status DecodeBmp(absl::Span<const uint8_t> file, Raster* raster) {
  GSG_ASSIGN_OR_RETURN(const Header header, ReadHeader(file));
  const std::vector<uint8_t> colors = Palette(file, header);
  std::vector<uint8_t> unpacked;
  if (header.run_length()) {
    GSG_ASSIGN_OR_RETURN(unpacked, Unpack(file, header));
  }
  raster->Resize(header.height, header.width, 3);
  const int64_t width = header.width;
  for (int64_t y = 0; y < header.height; ++y) {
    const int64_t stored = header.from_top ? y : header.height - 1 - y;
    uint8_t* out = raster->pixels.data() + 3 * y * width;
    const uint8_t* row = header.run_length() ? unpacked.data() + stored * width
                                             : file.data() + header.pixels_at +
                                                   stored * header.stride();
    const int bytes = header.bits / 8;
    for (int64_t x = 0; x < width; ++x, out += 3) {
      if (header.bits <= 8) {
        const int index =
            header.run_length() ? row[x] : Index(row, x, header.bits);
        std::copy_n(colors.data() + 3 * index, 3, out);
        continue;
      }
      uint32_t pixel = 0;
      for (int i = bytes; i-- > 0;) pixel = pixel << 8 | row[x * bytes + i];
      for (int c = 0; c < 3; ++c) out[c] = Color(pixel, header.masks[c]);
    }
  }
  return absl::OkStatus();
}

}  // namespace gsg
