#include "trainers/image/codec/png.h"

#include <png.h>

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// What libpng's callbacks see. libpng leaves a function that fails by longjmp,
// so nothing with a destructor may be born between setjmp and the failure:
// all that is here outlives it.
struct Reading {
  absl::Span<const uint8_t> left;
  bool keep_alpha;
  Raster* raster;
  std::vector<png_bytep> rows;
  std::string error;
};

void ReadBytes(png_structp png, png_bytep out, size_t size) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (size > reading->left.size()) png_error(png, "the file is cut off");
  std::memcpy(out, reading->left.data(), size);
  reading->left.remove_prefix(size);
}

void Fail(png_structp png, png_const_charp message) {
  static_cast<Reading*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void Ignore(png_structp, png_const_charp) {}

// Chunks that say nothing about the pixels used here. Some are large when
// unpacked, and for eXIf libpng allocates whatever size the file claims.
void SkipOthers(png_structp png) {
  static const png_byte kOthers[] =
      "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0"
      "sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, kOthers,
                              sizeof(kOthers) / 5);
}

// Values of 8 bits, or of 16 in this machine's order (little-endian, as all
// that LibTorch's wheels run on), whatever the file holds.
void AskForValues(png_structp png, bool keep_alpha) {
  png_set_expand(png);
  png_set_swap(png);
  if (!keep_alpha) png_set_strip_alpha(png);
}

// False if libpng failed.
bool Read(png_structp png, png_infop info, Reading* reading) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, reading, ReadBytes);
  SkipOthers(png);
  png_read_info(png, info);
  AskForValues(png, reading->keep_alpha);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const int height = static_cast<int>(png_get_image_height(png, info));
  const int width = static_cast<int>(png_get_image_width(png, info));
  reading->raster->Resize(height, width, png_get_channels(png, info),
                          png_get_bit_depth(png, info) == 16);
  const size_t row = png_get_rowbytes(png, info);
  reading->rows.resize(height);
  for (int y = 0; y < height; ++y) {
    reading->rows[y] = reading->raster->pixels.data() + y * row;
  }
  png_read_image(png, reading->rows.data());
  return true;
}

}  // namespace

absl::StatusOr<ImageSize> PngSize(absl::Span<const uint8_t> file,
                                  bool keep_alpha) {
  // Signature, then the chunk IHDR: length, name, width, height, ...
  if (file.size() < 24) {
    return absl::DataLossError(
        absl::StrCat("PNG: cut off after ", file.size(), " bytes"));
  }
  const auto number = [&](size_t at) {
    return static_cast<int64_t>(png_get_uint_32(file.data() + at));
  };
  const int64_t width = number(16);
  const int64_t height = number(20);
  // Byte 24 is the bits a sample.
  const bool wide = file.size() > 24 && file[24] == 16;
  const int64_t bytes = (keep_alpha ? 4 : 3) * (wide ? 2 : 1);
  if (absl::Status s = CheckSize(height, width, bytes); !s.ok()) return s;
  // Deflate makes at most 1032 bytes of one, and a pixel has a bit at least.
  constexpr int64_t kPixelsAByte = 8 * 1032;
  if (height * width / kPixelsAByte > static_cast<int64_t>(file.size())) {
    return absl::DataLossError(absl::StrCat(
        "PNG: absurd size: ", width, " x ", height, " pixels in ", file.size(),
        " bytes; it is cut off, or its header is wrong"));
  }
  return ImageSize{static_cast<int>(height), static_cast<int>(width)};
}

absl::Status DecodePng(absl::Span<const uint8_t> file, bool keep_alpha,
                       Raster* raster) {
  // libpng reads the header itself, which must say what PngSize has seen.
  const absl::StatusOr<ImageSize> size = PngSize(file, keep_alpha);
  if (!size.ok()) return size.status();
  Reading reading{file, keep_alpha, raster, {}, {}};
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, Fail, Ignore);
  if (png == nullptr) {
    return absl::ResourceExhaustedError("no memory for a PNG decoder");
  }
  png_set_user_limits(png, size->width, size->height);
  // Some writers promise a smaller window than they use; zlib does not care.
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
  png_infop info = png_create_info_struct(png);
  const bool ok = info != nullptr && Read(png, info, &reading);
  png_destroy_read_struct(&png, &info, nullptr);
  if (ok) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("PNG: ", reading.error));
}

}  // namespace gsg
