// Files of further formats for tests: rows of R, G, B to bytes.

#ifndef GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_MORE_H_
#define GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_MORE_H_

#include <gif_lib.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/trainers/image/codec/encode.h"

namespace gsg {

inline FileBytes EncodePpm(const FileBytes& rgb, int height, int width) {
  const std::string header = absl::StrCat("P6 ", width, " ", height, " 255\n");
  FileBytes file(header.begin(), header.end());
  file.insert(file.end(), rgb.begin(), rgb.end());
  return file;
}

// 24 bits, from the bottom.
inline FileBytes EncodeBmp(const FileBytes& rgb, int height, int width) {
  const int row = (3 * width + 3) / 4 * 4;
  FileBytes file = {'B', 'M'};
  const auto add = [&](uint32_t value, int size) {
    for (int i = 0; i < size; ++i) file.push_back(value >> 8 * i & 255);
  };
  add(54 + row * height, 4);
  add(0, 4);
  add(54, 4);
  add(40, 4);
  add(width, 4);
  add(height, 4);
  add(1, 2);
  add(24, 2);
  for (int i = 0; i < 6; ++i) add(0, 4);
  for (int y = height; y-- > 0;) {
    for (int x = 0; x < width; ++x) {
      const uint8_t* pixel = rgb.data() + 3 * (y * width + x);
      file.insert(file.end(), {pixel[2], pixel[1], pixel[0]});
    }
    file.resize(file.size() + row - 3 * width);
  }
  return file;
}

// A palette of 256 grays.
inline FileBytes EncodeGif(const FileBytes& gray, int height, int width) {
  FileBytes file;
  int error = 0;
  GifFileType* gif = EGifOpen(
      &file,
      [](GifFileType* to, const GifByteType* bytes, int size) {
        auto* out = static_cast<FileBytes*>(to->UserData);
        out->insert(out->end(), bytes, bytes + size);
        return size;
      },
      &error);
  GifColorType colors[256];
  for (int i = 0; i < 256; ++i) {
    colors[i].Red = colors[i].Green = colors[i].Blue =
        static_cast<GifByteType>(i);
  }
  ColorMapObject* map = GifMakeMapObject(256, colors);
  if (EGifPutScreenDesc(gif, width, height, 8, 0, map) != GIF_OK ||
      EGifPutImageDesc(gif, 0, 0, width, height, false, nullptr) != GIF_OK) {
    std::abort();
  }
  FileBytes pixels = gray;
  for (int y = 0; y < height; ++y) {
    if (EGifPutLine(gif, pixels.data() + y * width, width) != GIF_OK) {
      std::abort();
    }
  }
  GifFreeMapObject(map);
  EGifCloseFile(gif, &error);
  return file;
}

// Strips of 8 rows. compression: COMPRESSION_NONE, ... of tiff.h.
inline FileBytes EncodeTiff(const FileBytes& rgb, int height, int width,
                            int compression = COMPRESSION_LZW,
                            int orientation = 1) {
  struct Memory {
    FileBytes bytes;
    size_t at = 0;
  } memory;
  TIFF* tiff = TIFFClientOpen(
      "file", "w", &memory,
      [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; },
      [](thandle_t to, void* bytes, tmsize_t size) {
        auto* out = static_cast<Memory*>(to);
        out->bytes.resize(std::max(out->bytes.size(), out->at + size));
        std::copy_n(static_cast<uint8_t*>(bytes), size,
                    out->bytes.begin() + out->at);
        out->at += size;
        return size;
      },
      [](thandle_t to, toff_t offset, int whence) -> toff_t {
        auto* out = static_cast<Memory*>(to);
        return out->at = offset + (whence == SEEK_SET   ? 0
                                   : whence == SEEK_CUR ? out->at
                                                        : out->bytes.size());
      },
      [](thandle_t) { return 0; },
      [](thandle_t to) -> toff_t {
        return static_cast<Memory*>(to)->bytes.size();
      },
      nullptr, nullptr);
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, orientation);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
  FileBytes pixels = rgb;
  for (int y = 0; y < height; ++y) {
    if (TIFFWriteScanline(tiff, pixels.data() + 3 * y * width, y) != 1) {
      std::abort();
    }
  }
  TIFFClose(tiff);
  return memory.bytes;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_MORE_H_
