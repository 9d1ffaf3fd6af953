#include "trainers/image/codec/tiff.h"

#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// One file in libtiff's hands.
class File {
 public:
  explicit File(absl::Span<const uint8_t> bytes) : bytes_(bytes) {
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, kMaxImageBytes / 2);
    TIFFOpenOptionsSetMaxCumulatedMemAlloc(options, kMaxImageBytes / 2);
    TIFFOpenOptionsSetErrorHandlerExtR(options, OnError, this);
    TIFFOpenOptionsSetWarningHandlerExtR(options, OnWarning, this);
    tiff_ = TIFFClientOpenExt("file", "r", this, Read, Write, Seek, Close, Size,
                              Map, Unmap, options);
    TIFFOpenOptionsFree(options);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (tiff_ != nullptr) TIFFClose(tiff_);
  }

  // Null if it could not be opened.
  TIFF* get() const { return tiff_; }

  // Whether libtiff has said that it made up pixels.
  bool damaged() const { return damaged_; }

  absl::Status Error(absl::string_view otherwise) const {
    return absl::DataLossError(
        absl::StrCat("TIFF: ", reason_.empty() ? otherwise : reason_));
  }

 private:
  static File* Self(void* file) { return static_cast<File*>(file); }

  static std::string Text(const char* format, va_list arguments) {
    char text[256];
    std::vsnprintf(text, sizeof(text), format, arguments);
    return text;
  }

  // The first error is the cause; others follow from it.
  static int OnError(TIFF*, void* file, const char*, const char* format,
                     va_list arguments) {
    std::string& reason = Self(file)->reason_;
    if (reason.empty()) reason = Text(format, arguments);
    return 1;
  }

  // Most are about a file's form. Of libjpeg's, these say that pixels are
  // missing.
  static int OnWarning(TIFF*, void* file, const char* module,
                       const char* format, va_list arguments) {
    if (module == nullptr || std::strcmp(module, "JPEGLib") != 0) return 1;
    const std::string text = Text(format, arguments);
    if (absl::StartsWith(text, "Corrupt JPEG data") ||
        absl::StartsWith(text, "Premature end")) {
      Self(file)->damaged_ = true;
      if (Self(file)->reason_.empty()) Self(file)->reason_ = text;
    }
    return 1;
  }

  static tmsize_t Read(thandle_t file, void* out, tmsize_t size) {
    File* self = Self(file);
    const uint64_t left = self->bytes_.size() -
                          std::min<uint64_t>(self->at_, self->bytes_.size());
    const auto got = std::min<uint64_t>(left, size < 0 ? 0 : size);
    if (got > 0) std::memcpy(out, self->bytes_.data() + self->at_, got);
    self->at_ += got;
    return static_cast<tmsize_t>(got);
  }
  static tmsize_t Write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t Seek(thandle_t file, toff_t offset, int whence) {
    File* self = Self(file);
    self->at_ = whence == SEEK_SET   ? offset
                : whence == SEEK_CUR ? self->at_ + offset
                                     : self->bytes_.size() + offset;
    return self->at_;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t file) { return Self(file)->bytes_.size(); }
  // libtiff only reads what is mapped in a file that is open for reading.
  static int Map(thandle_t file, void** base, toff_t* size) {
    *base = const_cast<uint8_t*>(Self(file)->bytes_.data());
    *size = Self(file)->bytes_.size();
    return 1;
  }
  static void Unmap(thandle_t, void*, toff_t) {}

  const absl::Span<const uint8_t> bytes_;
  uint64_t at_ = 0;
  TIFF* tiff_ = nullptr;
  bool damaged_ = false;
  std::string reason_;
};

enum class Kind { kGray, kInverseGray, kPalette, kRgb, kCmyk };

// What the page is made of.
struct Layout {
  Kind kind = Kind::kGray;
  uint32_t height = 0, width = 0;
  int orientation = 1;
  int bits = 1;             // a sample
  int samples = 1;          // a pixel
  int used = 1;             // samples that are looked at, the first ones
  bool multiplied = false;  // RGB by alpha, the fourth
  bool apart = false;       // each sample has chunks of its own
  bool tiled = false;
  uint32_t chunk_height = 0, chunk_width = 0;  // of a strip or tile
  int64_t chunk_bytes = 0;
  int64_t chunk_row = 0;  // bytes
  // Of 1 << bits colors each.
  const uint16_t* palette[3] = {};

  int raster_channels() const {
    return kind == Kind::kGray || kind == Kind::kInverseGray ? 1 : 3;
  }
};

absl::Status NotRead(const char* what, int64_t value) {
  return absl::DataLossError(absl::StrCat(
      "TIFF: ", what, " ", value,
      ", which is not read (gray of 1, 2, 4, 8 or 16 bits, palettes, RGB and "
      "CMYK of 8 or 16 are)"));
}

uint16_t Field(TIFF* tiff, uint32_t tag, uint16_t otherwise) {
  uint16_t value = otherwise;
  return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : otherwise;
}

absl::Status FindKind(TIFF* tiff, Layout* layout) {
  const int photometric = Field(tiff, TIFFTAG_PHOTOMETRIC, 0);
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
      layout->kind = Kind::kInverseGray;
      break;
    case PHOTOMETRIC_MINISBLACK:
      layout->kind = Kind::kGray;
      break;
    case PHOTOMETRIC_PALETTE:
      layout->kind = Kind::kPalette;
      break;
    case PHOTOMETRIC_RGB:
      layout->kind = Kind::kRgb;
      break;
    case PHOTOMETRIC_SEPARATED:
      layout->kind = Kind::kCmyk;
      break;
    case PHOTOMETRIC_YCBCR:
      if (Field(tiff, TIFFTAG_COMPRESSION, 0) == COMPRESSION_JPEG) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        layout->kind = Kind::kRgb;
        break;
      }
      return NotRead("YCbCr without JPEG, photometric interpretation",
                     photometric);
    default:
      return NotRead("photometric interpretation", photometric);
  }
  return absl::OkStatus();
}

absl::Status FindSamples(TIFF* tiff, Layout* layout) {
  layout->bits = Field(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout->samples = Field(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout->apart = Field(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) ==
                  PLANARCONFIG_SEPARATE;
  const int format = Field(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
    return NotRead("signed or floating-point samples, format", format);
  }
  const bool one = layout->raster_channels() == 1;
  const int bits = layout->bits;
  const bool few = bits == 1 || bits == 2 || bits == 4;
  if (bits != 8 && (layout->kind == Kind::kPalette || bits != 16) &&
      !(few && (one || layout->kind == Kind::kPalette))) {
    return NotRead("bits a sample:", bits);
  }
  layout->used = layout->kind == Kind::kRgb    ? 3
                 : layout->kind == Kind::kCmyk ? 4
                                               : 1;
  if (layout->samples < layout->used) {
    return NotRead("samples a pixel:", layout->samples);
  }
  uint16_t extras = 0;
  uint16_t* types = nullptr;
  if (layout->kind == Kind::kRgb && layout->samples >= 4 &&
      TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extras, &types) && extras > 0 &&
      types[0] == EXTRASAMPLE_ASSOCALPHA) {
    layout->multiplied = true;
    layout->used = 4;
  }
  if (layout->kind == Kind::kPalette) {
    uint16_t* palette[3] = {};
    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &palette[0], &palette[1],
                      &palette[2])) {
      return absl::DataLossError("TIFF: the palette is missing");
    }
    std::copy(palette, palette + 3, layout->palette);
  }
  return absl::OkStatus();
}

absl::Status FindChunks(TIFF* tiff, Layout* layout) {
  layout->tiled = TIFFIsTiled(tiff) != 0;
  if (layout->tiled) {
    if (!TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &layout->chunk_width) ||
        !TIFFGetField(tiff, TIFFTAG_TILELENGTH, &layout->chunk_height)) {
      return absl::DataLossError("TIFF: the size of the tiles is missing");
    }
    layout->chunk_bytes = TIFFTileSize(tiff);
    layout->chunk_row = TIFFTileRowSize(tiff);
  } else {
    uint32_t rows = layout->height;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    layout->chunk_width = layout->width;
    layout->chunk_height = std::min(rows, layout->height);
    layout->chunk_bytes = TIFFStripSize(tiff);
    layout->chunk_row = TIFFScanlineSize(tiff);
  }
  const int64_t samples = layout->apart ? 1 : layout->samples;
  const int64_t row =
      (int64_t{layout->chunk_width} * layout->bits * samples + 7) / 8;
  if (layout->chunk_height == 0 || layout->chunk_width == 0 ||
      layout->chunk_row < row ||
      layout->chunk_bytes / layout->chunk_row < layout->chunk_height) {
    return absl::DataLossError(
        "TIFF: strips or tiles of a size that makes no sense");
  }
  const int64_t chunks = layout->apart ? layout->used : 1;
  const int64_t pixels =
      int64_t{layout->height} * layout->width * layout->raster_channels();
  constexpr int64_t kMax = kMaxImageBytes / 2;
  if (layout->chunk_bytes > (kMax - pixels) / chunks) {
    return absl::DataLossError(absl::StrCat(
        "absurd size: ", layout->width, " x ", layout->height,
        " pixels in strips or tiles of ", layout->chunk_bytes >> 20,
        " MiB; at most ", kMaxImageBytes >> 20, " MiB are spent on an image"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Layout> FindLayout(const File& file) {
  TIFF* tiff = file.get();
  if (tiff == nullptr) return file.Error("the header is cut off or corrupt");
  Layout layout;
  if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &layout.width) ||
      !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &layout.height)) {
    return file.Error("the size is missing");
  }
  GSG_RETURN_IF_ERROR(CheckSize(layout.height, layout.width, 6));
  const int compression = Field(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  if (!TIFFIsCODECConfigured(static_cast<uint16_t>(compression))) {
    return absl::DataLossError(absl::StrCat(
        "TIFF: compressed in a way that is not read (number ", compression,
        "); LZW, Deflate, PackBits, JPEG and fax are"));
  }
  GSG_RETURN_IF_ERROR(FindKind(tiff, &layout));
  GSG_RETURN_IF_ERROR(FindSamples(tiff, &layout));
  GSG_RETURN_IF_ERROR(FindChunks(tiff, &layout));
  const int orientation = Field(tiff, TIFFTAG_ORIENTATION, 1);
  layout.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  return layout;
}

// a * b / 255, rounded, for bytes.
int TimesShare(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// A row of a chunk's samples; those of pixel x and sample s lie at position
// x * step + s of the same memory, or with samples apart in one a sample.
class Row {
 public:
  Row(const Layout& layout, const uint8_t* chunk, int64_t row)
      : layout_(layout), row_(chunk + row * layout.chunk_row) {}

  // The upper 8 bits, or all if there are fewer.
  int Sample(int64_t x, int s) const {
    const int64_t at = layout_.apart ? x : x * layout_.samples + s;
    const uint8_t* row = row_ + (layout_.apart ? s * layout_.chunk_bytes : 0);
    switch (layout_.bits) {
      case 8:
        return row[at];
      case 16: {
        uint16_t value;  // in this machine's order
        std::memcpy(&value, row + 2 * at, sizeof(value));
        return value >> 8;
      }
      default: {
        const int64_t bit = at * layout_.bits;
        const int shift = 8 - layout_.bits - static_cast<int>(bit % 8);
        return row[bit / 8] >> shift & ((1 << layout_.bits) - 1);
      }
    }
  }

  // One or three bytes.
  void Pixel(int64_t x, uint8_t* out) const {
    switch (layout_.kind) {
      case Kind::kGray:
      case Kind::kInverseGray: {
        const int most = layout_.bits >= 8 ? 255 : (1 << layout_.bits) - 1;
        const int gray = Sample(x, 0) * (255 / most);
        *out = static_cast<uint8_t>(layout_.kind == Kind::kGray ? gray
                                                                : 255 - gray);
        return;
      }
      case Kind::kPalette: {
        const int index = Sample(x, 0);
        for (int c = 0; c < 3; ++c) {
          out[c] = static_cast<uint8_t>(layout_.palette[c][index] >> 8);
        }
        return;
      }
      case Kind::kRgb: {
        const int alpha = layout_.multiplied ? Sample(x, 3) : 255;
        for (int c = 0; c < 3; ++c) {
          const int value = Sample(x, c);
          out[c] = static_cast<uint8_t>(
              alpha == 0 ? 0 : std::min(255, value * 255 / alpha));
        }
        return;
      }
      case Kind::kCmyk: {
        const int light = 255 - Sample(x, 3);
        for (int c = 0; c < 3; ++c) {
          out[c] =
              static_cast<uint8_t>(light - TimesShare(Sample(x, c), light));
        }
        return;
      }
    }
  }

 private:
  const Layout& layout_;
  const uint8_t* row_;
};

// The strip or tile at (x, y), one behind the other for samples apart.
bool ReadChunk(TIFF* tiff, const Layout& layout, uint32_t x, uint32_t y,
               std::vector<uint8_t>* chunk) {
  const uint32_t rows = std::min(layout.chunk_height, layout.height - y);
  const tmsize_t wanted =
      layout.tiled ? layout.chunk_bytes : TIFFVStripSize(tiff, rows);
  for (int s = 0; s < (layout.apart ? layout.used : 1); ++s) {
    uint8_t* out = chunk->data() + s * layout.chunk_bytes;
    const auto sample = static_cast<uint16_t>(s);
    const tmsize_t got =
        layout.tiled
            ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, sample),
                                  out, wanted)
            : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, sample), out,
                                   wanted);
    if (got != wanted) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<TiffHeader> ReadTiffHeader(absl::Span<const uint8_t> file) {
  const File tiff(file);
  GSG_ASSIGN_OR_RETURN(const Layout layout, FindLayout(tiff));
  TiffHeader header;
  header.size = {static_cast<int>(layout.height),
                 static_cast<int>(layout.width)};
  header.orientation = layout.orientation;
  return header;
}

absl::Status DecodeTiff(absl::Span<const uint8_t> file, Raster* raster) {
  const File tiff(file);
  GSG_ASSIGN_OR_RETURN(const Layout layout, FindLayout(tiff));
  // Zeros, in case a decoder leaves bytes that it does not know.
  std::vector<uint8_t> chunk(layout.chunk_bytes *
                             (layout.apart ? layout.used : 1));
  const int channels = layout.raster_channels();
  raster->Resize(static_cast<int>(layout.height),
                 static_cast<int>(layout.width), channels);
  for (int64_t y = 0; y < layout.height; y += layout.chunk_height) {
    for (int64_t x = 0; x < layout.width; x += layout.chunk_width) {
      if (!ReadChunk(tiff.get(), layout, static_cast<uint32_t>(x),
                     static_cast<uint32_t>(y), &chunk) ||
          tiff.damaged()) {
        return tiff.Error("pixels are cut off or corrupt");
      }
      const int64_t rows =
          std::min<int64_t>(layout.chunk_height, layout.height - y);
      const int64_t columns =
          std::min<int64_t>(layout.chunk_width, layout.width - x);
      for (int64_t i = 0; i < rows; ++i) {
        const Row row(layout, chunk.data(), i);
        uint8_t* out = raster->pixels.data() +
                       ((y + i) * int64_t{layout.width} + x) * channels;
        for (int64_t j = 0; j < columns; ++j, out += channels) {
          row.Pixel(j, out);
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace gsg
