// Image files for tests, written by the formats' own libraries.

#ifndef GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_H_
#define GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_H_

#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>
#include <webp/mux.h>

// jpeglib.h needs FILE, and does not say so.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace gsg {

using FileBytes = std::vector<uint8_t>;

// pixels: rows of tjPixelSize[format] bytes a pixel. Quality 100 and, unless
// `subsampling` says otherwise, no chroma subsampling.
inline FileBytes EncodeJpeg(const FileBytes& pixels, int height, int width,
                            int format = TJPF_RGB, int subsampling = TJSAMP_444,
                            int flags = 0, int quality = 100) {
  tjhandle handle = tjInitCompress();
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT: turbojpeg's type
  if (tjCompress2(handle, pixels.data(), width, 0, height, format, &out, &size,
                  subsampling, quality, flags | TJFLAG_ACCURATEDCT) != 0) {
    std::abort();
  }
  FileBytes file(out, out + size);
  tjFree(out);
  tjDestroy(handle);
  return file;
}

// How the first of three or four components is sampled, beside others of 1 x 1,
// as TurboJPEG cannot. pixels: rows of `space`'s bytes. restart_interval: in
// blocks of the coarsest sampling, 0 for no restart markers.
inline FileBytes EncodeSampledJpeg(const FileBytes& pixels, int height,
                                   int width, J_COLOR_SPACE space,
                                   int horizontal, int vertical,
                                   int restart_interval = 0) {
  jpeg_compress_struct cinfo = {};
  jpeg_error_mgr errors = {};
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&cinfo, &out, &size);
  cinfo.image_height = height;
  cinfo.image_width = width;
  cinfo.input_components = space == JCS_CMYK ? 4 : 3;
  cinfo.in_color_space = space;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, 100, TRUE);
  cinfo.comp_info[0].h_samp_factor = horizontal;
  cinfo.comp_info[0].v_samp_factor = vertical;
  for (int i = 1; i < cinfo.num_components; ++i) {
    cinfo.comp_info[i].h_samp_factor = cinfo.comp_info[i].v_samp_factor = 1;
  }
  cinfo.restart_interval = restart_interval;
  jpeg_start_compress(&cinfo, TRUE);
  const size_t row = pixels.size() / height;
  while (cinfo.next_scanline < cinfo.image_height) {
    JSAMPROW from =
        const_cast<uint8_t*>(pixels.data() + row * cinfo.next_scanline);
    jpeg_write_scanlines(&cinfo, &from, 1);
  }
  jpeg_finish_compress(&cinfo);
  FileBytes file(out, out + size);
  std::free(out);
  jpeg_destroy_compress(&cinfo);
  return file;
}

struct PngKind {
  int color_type = PNG_COLOR_TYPE_RGB;
  int bits = 8;
  int interlace = PNG_INTERLACE_NONE;
  std::vector<png_color> palette = {};
  FileBytes palette_alpha = {};  // tRNS
};

// rows: packed as PNG packs them.
inline FileBytes EncodePng(const std::vector<FileBytes>& rows, int width,
                           const PngKind& kind) {
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  FileBytes file;
  if (setjmp(png_jmpbuf(png)) != 0) std::abort();
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, size_t size) {
        auto* to = static_cast<FileBytes*>(png_get_io_ptr(p));
        to->insert(to->end(), data, data + size);
      },
      nullptr);
  png_set_IHDR(png, info, width, rows.size(), kind.bits, kind.color_type,
               kind.interlace, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!kind.palette.empty()) {
    png_set_PLTE(png, info, kind.palette.data(), kind.palette.size());
  }
  if (!kind.palette_alpha.empty()) {
    png_set_tRNS(png, info, kind.palette_alpha.data(),
                 kind.palette_alpha.size(), nullptr);
  }
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (const FileBytes& row : rows) {
    pointers.push_back(const_cast<png_bytep>(row.data()));
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

inline FileBytes EncodeWebp(const FileBytes& rgb, int height, int width) {
  uint8_t* out = nullptr;
  const size_t size =
      WebPEncodeLosslessRGB(rgb.data(), width, height, 3 * width, &out);
  FileBytes file(out, out + size);
  WebPFree(out);
  return file;
}

// With losses, and half transparent everywhere.
inline FileBytes EncodeLossyWebp(const FileBytes& rgb, int height, int width) {
  FileBytes rgba;
  for (size_t i = 0; i < rgb.size(); i += 3) {
    rgba.insert(rgba.end(), {rgb[i], rgb[i + 1], rgb[i + 2], 128});
  }
  uint8_t* out = nullptr;
  const size_t size = WebPEncodeRGBA(rgba.data(), width, height, 4 * width,
                                     /*quality_factor=*/100, &out);
  FileBytes file(out, out + size);
  WebPFree(out);
  return file;
}

// An animation of the WebP files `frames`, the first of which lies at (`x`,
// `y`), both even, of a canvas of `height` x `width`.
inline FileBytes AnimateWebp(const std::vector<FileBytes>& frames, int height,
                             int width, int x, int y) {
  WebPMux* mux = WebPMuxNew();
  WebPMuxSetCanvasSize(mux, width, height);
  const WebPMuxAnimParams params = {0xFF102030, 0};
  WebPMuxSetAnimationParams(mux, &params);
  for (size_t i = 0; i < frames.size(); ++i) {
    WebPMuxFrameInfo frame = {};
    frame.bitstream = {frames[i].data(), frames[i].size()};
    frame.x_offset = i == 0 ? x : 0;
    frame.y_offset = i == 0 ? y : 0;
    frame.duration = 40;
    frame.id = WEBP_CHUNK_ANMF;
    frame.dispose_method = WEBP_MUX_DISPOSE_NONE;
    frame.blend_method = WEBP_MUX_NO_BLEND;
    if (WebPMuxPushFrame(mux, &frame, 1) != WEBP_MUX_OK) std::abort();
  }
  WebPData data;
  if (WebPMuxAssemble(mux, &data) != WEBP_MUX_OK) std::abort();
  FileBytes file(data.bytes, data.bytes + data.size);
  WebPDataClear(&data);
  WebPMuxDelete(mux);
  return file;
}

// A TIFF block that says how to turn the image, after another entry.
// type: SHORT, 3, or LONG, 4.
inline FileBytes ExifBlock(int orientation, bool big_endian, int type = 3) {
  const auto number = [&](uint32_t value, int size) {
    FileBytes bytes;
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (big_endian ? size - 1 - i : i);
      bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
    return bytes;
  };
  FileBytes block(2, big_endian ? 'M' : 'I');
  const auto add = [&](uint32_t value, int size) {
    const FileBytes bytes = number(value, size);
    block.insert(block.end(), bytes.begin(), bytes.end());
  };
  add(42, 2);
  add(8, 4);    // where the directory is
  add(2, 2);    // its entries
  add(256, 2);  // width: LONG, one of it
  add(4, 2);
  add(1, 4);
  add(17, 4);
  add(274, 2);  // orientation: one of it, padded to four bytes
  add(type, 2);
  add(1, 4);
  add(orientation, type == 3 ? 2 : 4);
  if (type == 3) add(0, 2);
  add(0, 4);  // no further directory
  return block;
}

inline void Insert(const FileBytes& what, size_t at, FileBytes* file) {
  file->insert(file->begin() + at, what.begin(), what.end());
}

inline FileBytes JpegWithExif(FileBytes file, const FileBytes& block) {
  FileBytes segment = {0xFF, 0xE1, 0,   static_cast<uint8_t>(block.size() + 8),
                       'E',  'x',  'i', 'f',
                       0,    0};
  segment.insert(segment.end(), block.begin(), block.end());
  Insert(segment, 2, &file);
  return file;
}

// The checksum is left out: this reader of EXIF does not look at it, and
// libpng only warns.
inline FileBytes PngWithExif(FileBytes file, const FileBytes& block) {
  FileBytes chunk = {0,   0,   0,   static_cast<uint8_t>(block.size()),
                     'e', 'X', 'I', 'f'};
  chunk.insert(chunk.end(), block.begin(), block.end());
  chunk.insert(chunk.end(), 4, 0);
  Insert(chunk, 8 + 25, &file);  // after the signature and IHDR
  return file;
}

// Behind the pixels, as it is in an extended file.
inline FileBytes WebpWithExif(FileBytes file, const FileBytes& block) {
  FileBytes chunk = {'E', 'X', 'I', 'F', static_cast<uint8_t>(block.size()),
                     0,   0,   0};
  chunk.insert(chunk.end(), block.begin(), block.end());
  file.insert(file.end(), chunk.begin(), chunk.end());
  return file;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_IMAGE_CODEC_ENCODE_H_
