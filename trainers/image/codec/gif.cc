#include "trainers/image/codec/gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

// One file in giflib's hands, gone through up to the first frame's pixels.
class File {
 public:
  explicit File(absl::Span<const uint8_t> bytes) : left_(bytes) {
    gif_ = DGifOpen(this, Read, &error_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    int ignored;
    if (gif_ != nullptr) DGifCloseFile(gif_, &ignored);
  }

  // Goes to the first frame.
  absl::Status Open();

  ImageSize canvas() const {
    const GifImageDesc& frame = gif_->Image;
    return {std::max(gif_->SHeight, frame.Top + frame.Height),
            std::max(gif_->SWidth, frame.Left + frame.Width)};
  }

  absl::Status Decode(Raster* raster);

 private:
  static int Read(GifFileType* gif, GifByteType* out, int size) {
    auto* self = static_cast<File*>(gif->UserData);
    const size_t got = std::min(self->left_.size(), static_cast<size_t>(size));
    if (got > 0) std::memcpy(out, self->left_.data(), got);
    self->left_.remove_prefix(got);
    // Behind the file an empty block, once: it ends the pixels, and if they are
    // all there it does not matter that the file forgot to.
    if (got == 0 && size == 1 && !self->ended_) {
      self->ended_ = true;
      *out = 0;
      return 1;
    }
    return static_cast<int>(got);
  }

  absl::Status Error() const {
    const char* text = GifErrorString(gif_ == nullptr ? error_ : gif_->Error);
    return absl::DataLossError(
        absl::StrCat("GIF: ", text == nullptr ? "it is corrupt" : text));
  }

  bool ReadExtension();
  void Palette(uint8_t (*colors)[3]) const;

  absl::Span<const uint8_t> left_;
  GifFileType* gif_ = nullptr;
  int error_ = 0;
  bool ended_ = false;
  int transparent_ = -1;
};

// Notes the transparent color of the frame to come.
bool File::ReadExtension() {
  int code = 0;
  GifByteType* block = nullptr;
  if (DGifGetExtension(gif_, &code, &block) == GIF_ERROR) return false;
  while (block != nullptr) {
    GraphicsControlBlock control;
    if (code == GRAPHICS_EXT_FUNC_CODE &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
      transparent_ = control.TransparentColor;
    }
    if (DGifGetExtensionNext(gif_, &block) == GIF_ERROR) return false;
  }
  return true;
}

absl::Status File::Open() {
  if (gif_ == nullptr) return Error();
  for (;;) {
    GifRecordType type;
    if (DGifGetRecordType(gif_, &type) == GIF_ERROR) return Error();
    if (type == TERMINATE_RECORD_TYPE) {
      return absl::DataLossError("GIF: there is no image in it");
    }
    if (type == IMAGE_DESC_RECORD_TYPE) break;
    if (type == EXTENSION_RECORD_TYPE && !ReadExtension()) return Error();
  }
  if (DGifGetImageDesc(gif_) == GIF_ERROR) return Error();
  const ImageSize size = canvas();
  GSG_RETURN_IF_ERROR(CheckSize(size.height, size.width, 3));
  return CheckSize(gif_->Image.Height, gif_->Image.Width, 3);
}

void File::Palette(uint8_t (*colors)[3]) const {
  const ColorMapObject* map =
      gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
  for (int i = 0; i < 256; ++i) {
    uint8_t* color = colors[i];
    if (map == nullptr) {
      color[0] = color[1] = color[2] = static_cast<uint8_t>(i);
    } else if (i < map->ColorCount) {
      color[0] = map->Colors[i].Red;
      color[1] = map->Colors[i].Green;
      color[2] = map->Colors[i].Blue;
    } else {
      color[0] = color[1] = color[2] = 0;
    }
  }
}

absl::Status File::Decode(Raster* raster) {
  const ImageSize size = canvas();
  const GifImageDesc& frame = gif_->Image;
  uint8_t colors[256][3];
  Palette(colors);
  raster->Resize(size.height, size.width, 3);
  const uint8_t* beside = colors[std::max(transparent_, 0)];
  for (size_t i = 0; i < raster->pixels.size(); i += 3) {
    std::copy(beside, beside + 3, raster->pixels.data() + i);
  }
  // Rows of an interlaced frame come in four passes.
  struct Pass {
    int first, step;
  };
  static constexpr Pass kAll[] = {{0, 1}};
  static constexpr Pass kInterlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  const absl::Span<const Pass> passes =
      frame.Interlace ? absl::Span<const Pass>(kInterlaced) : kAll;
  std::vector<GifPixelType> row(frame.Width);
  for (const Pass& pass : passes) {
    for (int y = pass.first; y < frame.Height; y += pass.step) {
      if (DGifGetLine(gif_, row.data(), frame.Width) == GIF_ERROR) {
        return Error();
      }
      uint8_t* out = raster->pixels.data() +
                     3 * (int64_t{frame.Top + y} * size.width + frame.Left);
      for (const GifPixelType index : row) {
        out = std::copy(colors[index], colors[index] + 3, out);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ImageSize> GifSize(absl::Span<const uint8_t> file) {
  File gif(file);
  GSG_RETURN_IF_ERROR(gif.Open());
  return gif.canvas();
}

absl::Status DecodeGif(absl::Span<const uint8_t> file, Raster* raster) {
  File gif(file);
  GSG_RETURN_IF_ERROR(gif.Open());
  return gif.Decode(raster);
}

}  // namespace gsg
