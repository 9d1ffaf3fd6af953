#include "trainers/image/codec/tiff.h"

#include <tiffio.h>

#include <algorithm>
#include <cmath>
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

enum class Kind { kGray, kInverseGray, kPalette, kRgb, kCmyk, kBands };

// What the page is made of.
struct Layout {
  Kind kind = Kind::kGray;
  uint32_t height = 0, width = 0;
  int orientation = 1;
  int bits = 1;  // a sample
  bool is_float = false;
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
    if (kind == Kind::kBands) return samples;
    return kind == Kind::kGray || kind == Kind::kInverseGray ? 1 : 3;
  }
  bool wide() const { return bits >= 16; }
};

absl::Status NotRead(const char* what, int64_t value) {
  return absl::DataLossError(absl::StrCat(
      "TIFF: ", what, " ", value,
      ", which is not read (gray of 1, 2, 4, 8, 16 or 32 bits, palettes, RGB "
      "and CMYK of 8, 16 or 32 are)"));
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

// Whether the samples of gray are bands, which as gray or RGB would be lost, or
// what is wanted are all samples. Gray and alpha are gray.
absl::StatusOr<bool> AreAllWanted(const Layout& layout, int channels) {
  const bool gray = layout.raster_channels() == 1;
  if (AreBands(channels) ? layout.kind != Kind::kPalette
                         : gray && layout.samples > 2) {
    if (layout.samples == channels) return true;
    return WrongChannels(layout.samples, channels);
  }
  return false;
}

absl::Status FindSamples(TIFF* tiff, int channels, Layout* layout) {
  layout->bits = Field(tiff, TIFFTAG_BITSPERSAMPLE, 1);
  layout->samples = Field(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  layout->apart = Field(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) ==
                  PLANARCONFIG_SEPARATE;
  const int format = Field(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  layout->is_float = format == SAMPLEFORMAT_IEEEFP && layout->bits == 32;
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID &&
      !layout->is_float) {
    return NotRead(
        "signed samples, or floating-point ones not of 32 bits, "
        "format",
        format);
  }
  const bool one = layout->raster_channels() == 1;
  const int bits = layout->bits;
  const bool few = bits == 1 || bits == 2 || bits == 4;
  const bool many = bits == 16 || bits == 32;
  const bool palette = layout->kind == Kind::kPalette;
  if (bits != 8 && !(many && !palette) && !(few && (one || palette))) {
    return NotRead("bits a sample:", bits);
  }
  GSG_ASSIGN_OR_RETURN(const bool all, AreAllWanted(*layout, channels));
  if (all) layout->kind = Kind::kBands;
  layout->used = layout->kind == Kind::kRgb     ? 3
                 : layout->kind == Kind::kCmyk  ? 4
                 : layout->kind == Kind::kBands ? layout->samples
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
  const int64_t pixels = int64_t{layout->height} * layout->width *
                         layout->raster_channels() * (layout->wide() ? 2 : 1);
  constexpr int64_t kMax = kMaxImageBytes / 2;
  if (layout->chunk_bytes > (kMax - pixels) / chunks) {
    return absl::DataLossError(absl::StrCat(
        "absurd size: ", layout->width, " x ", layout->height,
        " pixels in strips or tiles of ", layout->chunk_bytes >> 20,
        " MiB; at most ", kMaxImageBytes >> 20, " MiB are spent on an image"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Layout> FindLayout(const File& file, int channels) {
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
  GSG_RETURN_IF_ERROR(FindSamples(tiff, channels, &layout));
  GSG_RETURN_IF_ERROR(FindChunks(tiff, &layout));
  const int orientation = Field(tiff, TIFFTAG_ORIENTATION, 1);
  layout.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
  return layout;
}

// a * b / most, rounded, for values of 8 or 16 bits.
template <class T>
uint32_t TimesShare(uint32_t a, uint32_t b) {
  constexpr int kBits = 8 * sizeof(T);
  const uint32_t product = a * b + (uint32_t{1} << (kBits - 1));
  return ((product >> kBits) + product) >> kBits;
}

// A row of a chunk's samples; those of pixel x and sample s lie at position
// x * step + s of the same memory, or with samples apart in one a sample.
// T: uint16_t if the samples are wide, or else uint8_t.
template <class T>
class Row {
 public:
  Row(const Layout& layout, const uint8_t* chunk, int64_t row)
      : layout_(layout), row_(chunk + row * layout.chunk_row) {}

  // As many values as the raster has channels. False for a floating-point
  // sample outside 0..1.
  bool Pixel(int64_t x, T* out) const {
    constexpr uint32_t kMost = static_cast<T>(-1);
    if (layout_.is_float && !FloatsFit(x)) return false;
    switch (layout_.kind) {
      case Kind::kGray:
        *out = Full(x, 0);
        break;
      case Kind::kInverseGray:
        *out = static_cast<T>(kMost - Full(x, 0));
        break;
      case Kind::kBands:
        for (int c = 0; c < layout_.samples; ++c) out[c] = Full(x, c);
        break;
      case Kind::kPalette: {
        const uint32_t index = Sample(x, 0);
        for (int c = 0; c < 3; ++c) {
          out[c] = static_cast<T>(layout_.palette[c][index] >> 8);
        }
        break;
      }
      case Kind::kRgb: {
        const uint32_t alpha = layout_.multiplied ? Sample(x, 3) : kMost;
        for (int c = 0; c < 3; ++c) {
          out[c] = static_cast<T>(
              alpha == 0 ? 0 : std::min(kMost, Sample(x, c) * kMost / alpha));
        }
        break;
      }
      case Kind::kCmyk: {
        const uint32_t light = kMost - Sample(x, 3);
        for (int c = 0; c < 3; ++c) {
          out[c] = static_cast<T>(light - TimesShare<T>(Sample(x, c), light));
        }
        break;
      }
    }
    return true;
  }

 private:
  const uint8_t* At(int64_t x, int s) const {
    const int64_t at = layout_.apart ? x : x * layout_.samples + s;
    const uint8_t* row = row_ + (layout_.apart ? s * layout_.chunk_bytes : 0);
    return row + at * layout_.bits / 8;
  }

  // Of at least 8 bits in this machine's order, and at most those of T.
  template <class Value>
  Value Load(int64_t x, int s) const {
    Value value;
    std::memcpy(&value, At(x, s), sizeof(value));
    return value;
  }

  bool FloatsFit(int64_t x) const {
    for (int s = 0; s < layout_.used; ++s) {
      const auto value = Load<float>(x, s);
      if (!(value >= 0 && value <= 1)) return false;
    }
    return true;
  }

  // A sample of few bits or many as a T, whose largest value is white.
  T Full(int64_t x, int s) const {
    constexpr uint32_t kMost = static_cast<T>(-1);
    const uint32_t most = layout_.bits >= 8 ? kMost : (1u << layout_.bits) - 1;
    return static_cast<T>(Sample(x, s) * (kMost / most));
  }

  // All bits of a sample, or the upper ones that T holds.
  uint32_t Sample(int64_t x, int s) const {
    if (layout_.is_float) {
      return static_cast<uint32_t>(std::lround(Load<float>(x, s) * 65535));
    }
    switch (layout_.bits) {
      case 8:
        return *At(x, s);
      case 16:
        return Load<uint16_t>(x, s);
      case 32:
        return Load<uint32_t>(x, s) >> 16;
      default: {
        const int64_t bit =
            (layout_.apart ? x : x * layout_.samples + s) * layout_.bits;
        const int shift = 8 - layout_.bits - static_cast<int>(bit % 8);
        return *At(x, s) >> shift & ((1 << layout_.bits) - 1);
      }
    }
  }

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

template <class T>
absl::Status ReadPixels(const File& tiff, const Layout& layout, T* out) {
  // Zeros, in case a decoder leaves bytes that it does not know.
  std::vector<uint8_t> chunk(layout.chunk_bytes *
                             (layout.apart ? layout.used : 1));
  const int channels = layout.raster_channels();
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
        const Row<T> row(layout, chunk.data(), i);
        T* to = out + ((y + i) * int64_t{layout.width} + x) * channels;
        for (int64_t j = 0; j < columns; ++j, to += channels) {
          if (!row.Pixel(j, to)) {
            return absl::DataLossError(
                "TIFF: floating-point samples outside 0..1: bring them there, "
                "or to integers, as their range says");
          }
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TiffHeader> ReadTiffHeader(absl::Span<const uint8_t> file,
                                          int channels) {
  const File tiff(file);
  GSG_ASSIGN_OR_RETURN(const Layout layout, FindLayout(tiff, channels));
  TiffHeader header;
  header.size = {static_cast<int>(layout.height),
                 static_cast<int>(layout.width)};
  header.orientation = layout.orientation;
  return header;
}

absl::Status DecodeTiff(absl::Span<const uint8_t> file, int channels,
                        Raster* raster) {
  const File tiff(file);
  GSG_ASSIGN_OR_RETURN(const Layout layout, FindLayout(tiff, channels));
  raster->Resize(static_cast<int>(layout.height),
                 static_cast<int>(layout.width), layout.raster_channels(),
                 layout.wide());
  return layout.wide() ? ReadPixels(tiff, layout, raster->Values<uint16_t>())
                       : ReadPixels(tiff, layout, raster->Values<uint8_t>());
}

}  // namespace gsg
