// BMP, GIF, HEIF, PPM and TIFF: what is damaged, what is not read, what is too
// large. That pixels are Pillow's is shown by pillow_test.py.

#include <dlfcn.h>
#include <libheif/heif.h>
#include <tiff.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/codec/encode_more.h"
#include "trainers/image/codec/heif.h"
#include "trainers/image/codec/image_file.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

constexpr int kHeight = 21;
constexpr int kWidth = 34;

FileBytes Rgb() {
  FileBytes rgb;
  for (int i = 0; i < 3 * kHeight * kWidth; ++i) {
    rgb.push_back(static_cast<uint8_t>(i * 7 % 251));
  }
  return rgb;
}

// The planes of [3, height, width] that a file becomes.
absl::StatusOr<std::vector<int>> Decode(const FileBytes& file) {
  ImageFileDecoder decoder(3);
  const absl::StatusOr<ImageSize> size = decoder.Open(file);
  if (!size.ok()) return size.status();
  const absl::StatusOr<Image> image = decoder.Decode(2);
  if (!image.ok()) return image.status();
  EXPECT_EQ(image->reduction, 1);  // for JPEG alone
  EXPECT_EQ(image->height, size->height);
  EXPECT_EQ(image->width, size->width);
  const size_t count = size_t{3} * image->height * image->width;
  return std::vector<int>(image->chw, image->chw + count);
}

std::vector<int> PlanesOf(const FileBytes& rgb) {
  std::vector<int> planes;
  for (int c = 0; c < 3; ++c) {
    for (size_t i = c; i < rgb.size(); i += 3) planes.push_back(rgb[i]);
  }
  return planes;
}

std::string Refusal(const FileBytes& file) {
  const absl::Status status = Decode(file).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

FileBytes Cut(const FileBytes& file, size_t size) {
  return FileBytes(file.begin(), file.begin() + size);
}

void Put(uint32_t value, size_t at, FileBytes* file) {
  for (int i = 0; i < 4; ++i) (*file)[at + i] = value >> 8 * i & 255;
}

TEST(TiffTest, StripsOfEachCompression) {
  const FileBytes rgb = Rgb();
  for (const int compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
        COMPRESSION_PACKBITS}) {
    const auto planes = Decode(EncodeTiff(rgb, kHeight, kWidth, compression));
    ASSERT_TRUE(planes.ok()) << planes.status();
    EXPECT_EQ(*planes, PlanesOf(rgb)) << compression;
  }
}

TEST(TiffTest, IsTurned) {
  ImageFileDecoder decoder(3);
  const FileBytes file = EncodeTiff(Rgb(), kHeight, kWidth, COMPRESSION_LZW, 6);
  const absl::StatusOr<ImageSize> size = decoder.Open(file);
  ASSERT_TRUE(size.ok());
  EXPECT_EQ(size->height, kWidth);
  EXPECT_EQ(size->width, kHeight);
}

TEST(TiffTest, Damage) {
  EXPECT_THAT(Refusal({'I', 'I', '*', 0, 8, 0, 0, 0}), HasSubstr("TIFF: "));
  // The directory lies behind the pixels, so that what is cut off is that.
  const FileBytes file = EncodeTiff(Rgb(), kHeight, kWidth);
  EXPECT_THAT(Refusal(Cut(file, file.size() / 2)), HasSubstr("TIFF: "));
  FileBytes corrupt = file;
  std::fill(corrupt.begin() + 8, corrupt.begin() + 200, uint8_t{0xFF});
  EXPECT_THAT(Refusal(corrupt), HasSubstr("TIFF: "));
}

// Finds the entry of a tag in a little-endian file's directory.
size_t Entry(const FileBytes& file, int tag) {
  const size_t directory = file[4] | file[5] << 8 | file[6] << 16;
  for (size_t at = directory + 2; at + 12 <= file.size(); at += 12) {
    if ((file[at] | file[at + 1] << 8) == tag) return at;
  }
  std::abort();
}

TEST(TiffTest, WhatIsNotRead) {
  const FileBytes file = EncodeTiff(Rgb(), kHeight, kWidth);
  FileBytes other = file;
  other[Entry(file, TIFFTAG_PHOTOMETRIC) + 8] = PHOTOMETRIC_CIELAB;
  EXPECT_THAT(Refusal(other), HasSubstr("photometric interpretation 8"));
  other = file;
  other[Entry(file, TIFFTAG_COMPRESSION) + 8] =
      0x74;  // LERC, 34887, less 0x8847
  other[Entry(file, TIFFTAG_COMPRESSION) + 9] = 0x87;
  EXPECT_THAT(Refusal(other), HasSubstr("in a way that is not read"));
}

TEST(TiffTest, AbsurdSize) {
  FileBytes file = EncodeTiff(Rgb(), kHeight, kWidth);
  Put(50000, Entry(file, TIFFTAG_IMAGEWIDTH) + 8, &file);
  Put(50000, Entry(file, TIFFTAG_IMAGELENGTH) + 8, &file);
  EXPECT_THAT(Refusal(file), HasSubstr("absurd size"));
}

TEST(GifTest, Pixels) {
  FileBytes gray, rgb;
  for (int i = 0; i < kHeight * kWidth; ++i) {
    gray.push_back(static_cast<uint8_t>(i * 7 % 251));
    rgb.insert(rgb.end(), 3, gray.back());
  }
  const FileBytes file = EncodeGif(gray, kHeight, kWidth);
  ASSERT_TRUE(Decode(file).ok()) << Decode(file).status();
  EXPECT_EQ(*Decode(file), PlanesOf(rgb));
  // What is behind the pixels is none of the picture's: the end of the file,
  // and of the pixels' blocks.
  EXPECT_EQ(*Decode(Cut(file, file.size() - 2)), PlanesOf(rgb));
  EXPECT_THAT(Refusal(Cut(file, file.size() / 2)), HasSubstr("GIF: "));
  EXPECT_THAT(Refusal(Cut(file, 6)), HasSubstr("GIF: "));
  FileBytes empty = Cut(file, 13 + 3 * 256);
  empty.push_back(';');
  EXPECT_EQ(Refusal(empty), "GIF: there is no image in it");
}

TEST(BmpTest, Pixels) {
  const FileBytes file = EncodeBmp(Rgb(), kHeight, kWidth);
  ASSERT_TRUE(Decode(file).ok()) << Decode(file).status();
  EXPECT_EQ(*Decode(file), PlanesOf(Rgb()));
  // Without what fills the last row up.
  EXPECT_TRUE(Decode(Cut(file, file.size() - 2)).ok());
  EXPECT_THAT(Refusal(Cut(file, file.size() - 3)),
              HasSubstr("34 x 21 pixels in 2235 bytes; it is cut off"));
  EXPECT_EQ(Refusal(Cut(file, 30)), "BMP: the header is cut off");
  FileBytes jpeg = file;
  jpeg[30] = 4;
  EXPECT_THAT(Refusal(jpeg), HasSubstr("24 bits a pixel in compression 4"));
  FileBytes large = file;
  Put(1 << 30, 18, &large);
  EXPECT_THAT(Refusal(large), HasSubstr("absurd size"));
}

TEST(PnmTest, Pixels) {
  const FileBytes file = EncodePpm(Rgb(), kHeight, kWidth);
  ASSERT_TRUE(Decode(file).ok()) << Decode(file).status();
  EXPECT_EQ(*Decode(file), PlanesOf(Rgb()));
  EXPECT_EQ(Refusal(Cut(file, file.size() - 1)),
            "PPM: cut off after 2141 of 2142 bytes of pixels");
  EXPECT_EQ(Refusal(Cut(file, 6)), "PPM: the header is cut off or corrupt");
  const std::string large = "P6 99999 99999 255 ";
  EXPECT_THAT(Refusal(FileBytes(large.begin(), large.end())),
              HasSubstr("absurd size"));
}

// --- HEIF, where this machine has libheif

// A function of libheif, for writing.
template <class Function>
Function Find(const char* name) {
  static void* library = dlopen("libheif.so.1", RTLD_NOW);
  return reinterpret_cast<Function>(dlsym(library, name));
}
#define HEIF(name) Find<decltype(&heif_##name)>("heif_" #name)

// Gray pixels; empty if libheif cannot write the format. orientation: EXIF's.
FileBytes EncodeHeif(heif_compression_format format, int orientation) {
  heif_context* context = HEIF(context_alloc)();
  heif_encoder* encoder = nullptr;
  FileBytes file;
  if (HEIF(context_get_encoder_for_format)(context, format, &encoder).code !=
      heif_error_Ok) {
    HEIF(context_free)(context);
    return file;
  }
  heif_image* image = nullptr;
  HEIF(image_create)
  (64, 48, heif_colorspace_RGB, heif_chroma_interleaved_RGB, &image);
  HEIF(image_add_plane)(image, heif_channel_interleaved, 64, 48, 8);
  int stride = 0;
  uint8_t* rgb =
      HEIF(image_get_plane)(image, heif_channel_interleaved, &stride);
  for (int y = 0; y < 48; ++y) {
    for (int i = 0; i < 3 * 64; ++i) {
      rgb[y * stride + i] = static_cast<uint8_t>(50 + 2 * (i / 3) + y);
    }
  }
  HEIF(encoder_set_lossy_quality)(encoder, 100);
  heif_encoding_options* options = HEIF(encoding_options_alloc)();
  options->image_orientation = static_cast<heif_orientation>(orientation);
  heif_image_handle* handle = nullptr;
  HEIF(context_encode_image)(context, image, encoder, options, &handle);
  heif_writer writer = {};
  writer.writer_api_version = 1;
  writer.write = [](heif_context*, const void* data, size_t size, void* to) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    static_cast<FileBytes*>(to)->assign(bytes, bytes + size);
    return heif_error{heif_error_Ok, heif_suberror_Unspecified, ""};
  };
  HEIF(context_write)(context, &writer, &file);
  HEIF(encoding_options_free)(options);
  HEIF(image_handle_release)(handle);
  HEIF(image_release)(image);
  HEIF(encoder_release)(encoder);
  HEIF(context_free)(context);
  return file;
}

class HeifTest : public testing::TestWithParam<heif_compression_format> {
 protected:
  void SetUp() override {
    if (!HasHeif().ok()) GTEST_SKIP() << HasHeif();
    upright_ = EncodeHeif(GetParam(), 1);
    if (upright_.empty()) GTEST_SKIP() << "this libheif cannot write it";
  }

  FileBytes upright_;
};

TEST_P(HeifTest, PixelsAsTheyAreToBeLookedAt) {
  ImageFileDecoder decoder(1);
  ASSERT_EQ(FormatOf(upright_), ImageFormat::kHeif);
  ASSERT_TRUE(decoder.Open(upright_).ok());
  absl::StatusOr<Image> image = decoder.Decode(1);
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->height, 48);
  ASSERT_EQ(image->width, 64);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 64; ++x) {
      EXPECT_NEAR(image->chw[y * 64 + x], 50 + 2 * x + y, 3);
    }
  }
  // By 90 degrees clockwise: the left column is on top.
  const FileBytes turned = EncodeHeif(GetParam(), 6);
  const absl::StatusOr<ImageSize> size = decoder.Open(turned);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(size->height, 64);
  image = decoder.Decode(1);
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->width, 48);
  EXPECT_NEAR(image->chw[0], 50 + 47, 3);
  EXPECT_NEAR(image->chw[63 * 48], 50 + 2 * 63 + 47, 3);
}

TEST_P(HeifTest, Damage) {
  for (const size_t size : {size_t{16}, upright_.size() / 2}) {
    EXPECT_THAT(Refusal(Cut(upright_, size)), HasSubstr("HEIF: "));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, HeifTest,
                         testing::Values(heif_compression_HEVC,
                                         heif_compression_AV1));

// In a process of its own, since a program looks for libheif once.
TEST(HeifDeathTest, WithoutLibheif) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        setenv("GSG_LIBHEIF", "/no/libheif.so.1", 1);
        std::fputs(Refusal({0, 0, 0, 24, 'f', 't', 'y', 'p', 'h', 'e', 'i', 'c',
                            0, 0, 0, 0})
                       .c_str(),
                   stderr);
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "a HEIC or AVIF file: GSG_LIBHEIF=/no/libheif.so.1 cannot be loaded");
}

}  // namespace
}  // namespace gsg
