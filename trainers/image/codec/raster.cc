#include "trainers/image/codec/raster.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

template <class T>
T Luma(const T* rgb) {
  return static_cast<T>((uint32_t{19595} * rgb[0] + uint32_t{38470} * rgb[1] +
                         uint32_t{7471} * rgb[2] + 0x8000) >>
                        16);
}

// Where displayed pixel (y, x) lies in the raster: first + y * down + x *
// across, in values.
struct Walk {
  int height, width;  // as displayed
  int64_t first, down, across;
};

// Which of the stored axes EXIF's orientations run backwards.
bool ReversesX(int orientation) {
  return orientation == 2 || orientation == 3 || orientation >= 7;
}
bool ReversesY(int orientation) {
  return orientation == 3 || orientation == 4 || orientation == 6 ||
         orientation == 7;
}
bool SwapsAxes(int orientation) { return orientation >= 5; }

Walk MakeWalk(const Raster& raster, int orientation) {
  const int64_t row = int64_t{raster.width} * raster.channels;
  int64_t dx = raster.channels;
  int64_t dy = row;
  Walk walk = {};
  if (ReversesX(orientation)) {
    walk.first += (raster.width - 1) * dx;
    dx = -dx;
  }
  if (ReversesY(orientation)) {
    walk.first += (raster.height - 1) * dy;
    dy = -dy;
  }
  const bool swap = SwapsAxes(orientation);
  walk.height = swap ? raster.width : raster.height;
  walk.width = swap ? raster.height : raster.width;
  walk.down = swap ? dx : dy;
  walk.across = swap ? dy : dx;
  return walk;
}

template <class T>
void WalkToPlanes(const Raster& raster, const Walk& walk, int channels,
                  T* out) {
  const size_t plane = static_cast<size_t>(walk.height) * walk.width;
  for (int y = 0; y < walk.height; ++y) {
    const T* in = raster.Values<T>() + walk.first + y * walk.down;
    if (raster.channels == 3 && channels == 3) {
      for (int x = 0; x < walk.width; ++x, in += walk.across) {
        out[x] = in[0];
        out[plane + x] = in[1];
        out[2 * plane + x] = in[2];
      }
    } else if (raster.channels == channels) {
      for (int x = 0; x < walk.width; ++x, in += walk.across) {
        for (int c = 0; c < channels; ++c) out[c * plane + x] = in[c];
      }
    } else {
      for (int x = 0; x < walk.width; ++x, in += walk.across) {
        const T gray = raster.channels == 3 ? Luma(in) : *in;
        for (int c = 0; c < channels; ++c) out[c * plane + x] = gray;
      }
    }
    out += walk.width;
  }
}

}  // namespace

absl::Status WrongChannels(int has, int wanted) {
  return absl::DataLossError(
      absl::StrCat("has ", has, has == 1 ? " channel" : " channels", " where ",
                   wanted, wanted == 1 ? " is" : " are",
                   " wanted; --channels=", has, " trains on such images"));
}

void ResizeBuffer(size_t size, std::vector<uint8_t>* buffer) {
  constexpr size_t kLarge = size_t{16} << 20;
  if (buffer->capacity() > kLarge && size < buffer->capacity() / 4) {
    std::vector<uint8_t>().swap(*buffer);
  }
  buffer->resize(size);
}

void Raster::Resize(int new_height, int new_width, int new_channels,
                    bool new_wide) {
  height = new_height;
  width = new_width;
  channels = new_channels;
  wide = new_wide;
  ResizeBuffer(static_cast<size_t>(height) * width * channels * (wide ? 2 : 1),
               &pixels);
}

absl::Status CheckSize(int64_t height, int64_t width, int64_t bytes_a_pixel) {
  // Divided, because the product of two sides from a header can overflow.
  if (height > 0 && width > 0 &&
      height <= kMaxImageBytes / bytes_a_pixel / width) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "absurd size: ", width, " x ", height, " pixels of ", bytes_a_pixel,
      " bytes; at most ", kMaxImageBytes >> 20, " MiB are spent on an image"));
}

Image ToPlanes(const Raster& raster, int orientation, int channels,
               ImageSize full, int reduction, std::vector<uint8_t>* chw) {
  const Walk walk = MakeWalk(raster, orientation);
  const size_t plane = static_cast<size_t>(walk.height) * walk.width;
  ResizeBuffer(plane * channels * (raster.wide ? 2 : 1), chw);
  Image image;
  if (raster.wide) {
    auto* out = reinterpret_cast<uint16_t*>(chw->data());
    WalkToPlanes(raster, walk, channels, out);
    image.chw16 = out;
  } else {
    WalkToPlanes(raster, walk, channels, chw->data());
    image.chw = chw->data();
  }
  image.channels = channels;
  image.height = walk.height;
  image.width = walk.width;
  image.reduction = reduction;
  // The last reduced pixel may stick out of the full image; turned, it is the
  // first.
  const double beyond_x =
      ReversesX(orientation)
          ? raster.width - static_cast<double>(full.width) / reduction
          : 0;
  const double beyond_y =
      ReversesY(orientation)
          ? raster.height - static_cast<double>(full.height) / reduction
          : 0;
  image.top = SwapsAxes(orientation) ? beyond_x : beyond_y;
  image.left = SwapsAxes(orientation) ? beyond_y : beyond_x;
  return image;
}

}  // namespace gsg
