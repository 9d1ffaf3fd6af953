#ifndef GSG_TRAINERS_IMAGE_CODEC_RASTER_H_
#define GSG_TRAINERS_IMAGE_CODEC_RASTER_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "trainers/image/image.h"

namespace gsg {

// An image as it lies in a file: rows from the top, `channels` values a pixel
// (1 gray, 3 RGB, others the file's bands), each of 8 or 16 bits.
struct Raster {
  int height = 0;
  int width = 0;
  int channels = 0;
  bool wide = false;            // 16 bits a value, in this machine's order
  std::vector<uint8_t> pixels;  // of either: see Values

  // The values as T: uint8_t, or if it is wide uint16_t.
  template <class T>
  T* Values() {
    return reinterpret_cast<T*>(pixels.data());
  }
  template <class T>
  const T* Values() const {
    return reinterpret_cast<const T*>(pixels.data());
  }

  // Makes room for an image. Large memory is given back as soon as less than a
  // quarter of it is needed.
  void Resize(int new_height, int new_width, int new_channels,
              bool new_wide = false);
};

// Whether so many channels are what a file has, rather than gray or color,
// which any file can be converted to.
inline bool AreBands(int channels) { return channels != 1 && channels != 3; }

// That an image has not the channels that --channels wants.
absl::Status WrongChannels(int has, int wanted);

// The most memory that the decoding of one image may take, besides its planes:
// 1 GiB, which is 357 million pixels of 3 bytes. A header of a few bytes can
// promise more than any memory holds, so it is asked first.
inline constexpr int64_t kMaxImageBytes = int64_t{1} << 30;

// bytes_a_pixel: what decoding takes for each.
// Errors: kDataLoss if a side is not positive or it would take more than
// kMaxImageBytes.
absl::Status CheckSize(int64_t height, int64_t width, int64_t bytes_a_pixel);

// Turns a raster into planes as they are meant to be looked at, of as many bits
// as it has, with `channels` channels: its own, if it has so many. Otherwise
// both have 1 or 3: gray is repeated; color becomes the luma that Pillow's
// convert("L") computes, (19595 R + 38470 G + 7471 B + 2^15) / 2^16.
// orientation: EXIF's, 1 to 8 (exif.h). `full` is the stored image's size
// before it was decoded to 1 / reduction. The result points into *chw.
Image ToPlanes(const Raster& raster, int orientation, int channels,
               ImageSize full, int reduction, std::vector<uint8_t>* chw);

// Resizes, with the same policy for memory as Raster.
void ResizeBuffer(size_t size, std::vector<uint8_t>* buffer);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_RASTER_H_
