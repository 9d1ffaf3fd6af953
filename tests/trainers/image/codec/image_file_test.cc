#include "trainers/image/codec/image_file.h"

#include <png.h>
#include <tiff.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/codec/encode_more.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a file becomes: planes of [channels, height, width].
struct Planes {
  int channels = 0, height = 0, width = 0;
  std::vector<int> values;
  double top = 0, left = 0;

  int at(int c, int y, int x) const {
    return values[(c * height + y) * width + x];
  }
};

Planes Decode(const FileBytes& file, int channels, int reduction = 1) {
  ImageFileDecoder decoder(channels);
  const absl::StatusOr<ImageSize> size = decoder.Open(file);
  EXPECT_TRUE(size.ok()) << size.status();
  const absl::StatusOr<Image> image = decoder.Decode(reduction);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return {};
  EXPECT_EQ(image->height,
            (size->height + image->reduction - 1) / image->reduction);
  EXPECT_EQ(image->width,
            (size->width + image->reduction - 1) / image->reduction);
  const size_t n = size_t{1} * image->channels * image->height * image->width;
  const std::vector<int> values =
      image->chw16 != nullptr ? std::vector<int>(image->chw16, image->chw16 + n)
                              : std::vector<int>(image->chw, image->chw + n);
  return {image->channels, image->height, image->width,
          values,          image->top,    image->left};
}

// The message with which a file is refused, by either call.
std::string Refusal(const FileBytes& file) {
  ImageFileDecoder decoder(3);
  const absl::StatusOr<ImageSize> size = decoder.Open(file);
  const absl::Status status =
      size.ok() ? decoder.Decode(1).status() : size.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

// Smooth, so that JPEG keeps it: rows of R, G, B.
FileBytes SmoothRgb(int height, int width) {
  FileBytes pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      pixels.push_back(static_cast<uint8_t>(40 + 150 * x / width));
      pixels.push_back(static_cast<uint8_t>(200 - 120 * y / height));
      pixels.push_back(
          static_cast<uint8_t>(90 + 60 * (x + y) / (width + height)));
    }
  }
  return pixels;
}

void ExpectNear(const Planes& planes, const FileBytes& rgb, int tolerance) {
  ASSERT_EQ(planes.values.size(), rgb.size());
  for (int y = 0; y < planes.height; ++y) {
    for (int x = 0; x < planes.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(planes.at(c, y, x), rgb[3 * (y * planes.width + x) + c],
                    tolerance)
            << "channel " << c << " row " << y << " column " << x;
      }
    }
  }
}

// At quality 100 what is lost is rounding: of the coefficients and of the two
// changes of color space.
constexpr int kRounding = 3;

TEST(JpegTest, Rgb) {
  const FileBytes rgb = SmoothRgb(19, 21);
  ExpectNear(Decode(EncodeJpeg(rgb, 19, 21), 3), rgb, kRounding);
}

TEST(JpegTest, Progressive) {
  const FileBytes rgb = SmoothRgb(19, 21);
  ExpectNear(
      Decode(EncodeJpeg(rgb, 19, 21, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE),
             3),
      rgb, kRounding);
}

// Where colors change little from pixel to pixel, halving them loses little.
TEST(JpegTest, SubsampledChroma) {
  const FileBytes rgb = SmoothRgb(64, 48);
  ExpectNear(Decode(EncodeJpeg(rgb, 64, 48, TJPF_RGB, TJSAMP_420), 3), rgb, 6);
}

TEST(JpegTest, GrayBecomesThreeEqualChannels) {
  const FileBytes gray = {10, 60, 110, 160, 210, 250};
  const FileBytes file = EncodeJpeg(gray, 2, 3, TJPF_GRAY, TJSAMP_GRAY);
  for (int channels : {1, 3}) {
    const Planes planes = Decode(file, channels);
    ASSERT_EQ(planes.channels, channels);
    for (int c = 0; c < channels; ++c) {
      for (int i = 0; i < 6; ++i) {
        EXPECT_NEAR(planes.values[6 * c + i], gray[i], kRounding);
      }
    }
  }
}

TEST(JpegTest, ColorBecomesLuma) {
  FileBytes rgb;
  for (int i = 0; i < 64; ++i) rgb.insert(rgb.end(), {200, 100, 50});
  // 0.299 * 200 + 0.587 * 100 + 0.114 * 50.
  for (int value : Decode(EncodeJpeg(rgb, 8, 8), 1).values) {
    EXPECT_NEAR(value, 124.2, kRounding);
  }
}

// Without a JFIF header, and with components called R, G and B, a file's Y, Cb
// and Cr are no such thing: the colors that come out are
// Y  = 0.299 R + 0.587 G + 0.114 B = 124.2 of R, G, B = 200, 100, 50,
// Cb = 128 + (B - Y) / 1.772 = 86.1 and Cr = 128 + (R - Y) / 1.402 = 182.1.
TEST(JpegTest, StoredAsRgb) {
  FileBytes rgb;
  for (int i = 0; i < 64; ++i) rgb.insert(rgb.end(), {200, 100, 50});
  FileBytes file = EncodeJpeg(rgb, 8, 8);
  const auto find = [&](const FileBytes& what) {
    return std::search(file.begin(), file.end(), what.begin(), what.end());
  };
  *find({'J', 'F', 'I', 'F'}) = 'X';
  const auto frame = find({0xFF, 0xC0});  // 10 bytes, then 3 a component
  const auto scan = find({0xFF, 0xDA});   // 5 bytes, then 2 a component
  for (int c = 0; c < 3; ++c) {
    frame[10 + 3 * c] = scan[5 + 2 * c] = "RGB"[c];
  }
  const Planes planes = Decode(file, 3);
  EXPECT_NEAR(planes.values[0], 124.2, kRounding);
  EXPECT_NEAR(planes.values[64], 86.1, kRounding);
  EXPECT_NEAR(planes.values[128], 182.1, kRounding);
}

// By hand, with inks stored inverted: R = C K / 255 = 200 * 204 / 255.
TEST(JpegTest, FourInks) {
  FileBytes cmyk;
  for (int i = 0; i < 64; ++i) cmyk.insert(cmyk.end(), {200, 100, 50, 204});
  const FileBytes file = EncodeJpeg(cmyk, 8, 8, TJPF_CMYK);
  const Planes planes = Decode(file, 3);
  ASSERT_EQ(planes.channels, 3);
  for (int i = 0; i < 64; ++i) {
    EXPECT_NEAR(planes.values[i], 160, kRounding);
    EXPECT_NEAR(planes.values[64 + i], 80, kRounding);
    EXPECT_NEAR(planes.values[128 + i], 40, kRounding);
  }
  // 0.299 * 160 + 0.587 * 80 + 0.114 * 40.
  EXPECT_NEAR(Decode(file, 1).values[0], 99.4, kRounding);
}

// A ramp is its own average: pixel k of the reduced one is the mean of the
// `r` x `r` it stands for.
TEST(JpegTest, Reduced) {
  const int height = 64, width = 96;
  const FileBytes rgb = SmoothRgb(height, width);
  for (int r : {2, 4, 8}) {
    const Planes planes = Decode(EncodeJpeg(rgb, height, width), 3, r);
    ASSERT_EQ(planes.height, height / r);
    ASSERT_EQ(planes.width, width / r);
    for (int y = 0; y < planes.height; ++y) {
      for (int x = 0; x < planes.width; ++x) {
        EXPECT_NEAR(planes.at(0, y, x), 40 + 150 * (x + 0.5) * r / width, 4);
        EXPECT_NEAR(planes.at(1, y, x), 200 - 120 * (y + 0.5) * r / height, 4);
      }
    }
  }
}

TEST(JpegTest, CutOffAnywhereIsDamage) {
  const FileBytes whole = EncodeJpeg(SmoothRgb(40, 40), 40, 40);
  for (size_t size : {size_t{3}, size_t{10}, size_t{200}, whole.size() / 2,
                      whole.size() - 40, whole.size() - 4}) {
    FileBytes cut(whole.begin(), whole.begin() + size);
    EXPECT_THAT(Refusal(cut), HasSubstr("JPEG: ")) << size;
  }
}

TEST(JpegTest, GarbageInTheMiddleIsDamage) {
  FileBytes file = EncodeJpeg(SmoothRgb(64, 64), 64, 64);
  std::fill_n(file.begin() + file.size() / 2, 8, 0xFF);
  EXPECT_THAT(Refusal(file), HasSubstr("JPEG: "));
}

// The header of a small image is made to promise 60000 x 60000.
TEST(JpegTest, AbsurdSizeIsRefusedBeforeItIsAllocated) {
  FileBytes file = EncodeJpeg(SmoothRgb(16, 16), 16, 16);
  const FileBytes start_of_frame = {0xFF, 0xC0};
  const auto frame = std::search(file.begin(), file.end(),
                                 start_of_frame.begin(), start_of_frame.end());
  ASSERT_NE(frame, file.end());
  for (int i : {5, 7}) {  // marker, length, precision, height, width
    frame[i] = 60000 / 256;
    frame[i + 1] = 60000 % 256;
  }
  EXPECT_THAT(Refusal(file),
              HasSubstr("JPEG: absurd size: 60000 x 60000 pixels in "));
}

// As many zeros as the pixels need at the least: the header's size can be
// true, and is decoded reduced rather than refused.
TEST(JpegTest, HundredMegapixelsAreRead) {
  const FileBytes gray(size_t{12000} * 9000, 200);
  const FileBytes file =
      EncodeJpeg(gray, 9000, 12000, TJPF_GRAY, TJSAMP_GRAY, 0, 50);
  ImageFileDecoder decoder(1);
  const absl::StatusOr<ImageSize> size = decoder.Open(file);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(size->width, 12000);
  const absl::StatusOr<Image> image = decoder.Decode(8);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 1500);
  EXPECT_NEAR(image->chw[0], 200, kRounding);
}

FileBytes Joined(std::initializer_list<FileBytes> parts) {
  FileBytes all;
  for (const FileBytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

size_t Find(const FileBytes& file, const FileBytes& what) {
  return std::search(file.begin(), file.end(), what.begin(), what.end()) -
         file.begin();
}

// What is unusual about a file is no damage while its pixels are there: they
// are those of the usual one.
TEST(JpegTest, UnusualButComplete) {
  const FileBytes rgb = SmoothRgb(40, 56);
  const FileBytes trailer = [] {
    FileBytes bytes = {'S', 'E', 'F', 'H'};
    for (int i = 0; i < 2000; ++i) bytes.push_back(static_cast<uint8_t>(i));
    return bytes;
  }();
  for (int flags : {0, int{TJFLAG_PROGRESSIVE}}) {
    SCOPED_TRACE(flags);
    const FileBytes usual =
        EncodeJpeg(rgb, 40, 56, TJPF_RGB, TJSAMP_420, flags, 92);
    const std::vector<int> expected = Decode(usual, 3).values;
    const FileBytes without_end(usual.begin(), usual.end() - 2);
    FileBytes version = usual;
    version[Find(usual, {'J', 'F', 'I', 'F', 0}) + 5] = 2;
    FileBytes scan_parameters = usual;
    if (flags == 0) {  // 5 bytes, then 2 for each of three components
      const size_t scan = Find(usual, {0xFF, 0xDA});
      std::fill_n(scan_parameters.begin() + scan + 11, 3, 0);
    }
    FileBytes stray = usual;
    const size_t tables = Find(usual, {0xFF, 0xDB});
    Insert(FileBytes(11, 'A'), tables, &stray);
    FileBytes escaped = usual;
    Insert({0xFF, 0}, tables, &escaped);
    const std::vector<std::pair<std::string, FileBytes>> files = {
        {"no end marker", without_end},
        {"a trailer", Joined({without_end, FileBytes(99, 'x')})},
        {"a trailer with markers", Joined({without_end, trailer})},
        {"another file for a trailer", Joined({without_end, usual})},
        {"another file behind it", Joined({usual, usual})},
        {"zeros before the end",
         Joined({without_end, FileBytes(512, 0), FileBytes{0xFF, 0xD9}})},
        {"JFIF 2", version},
        {"scan parameters of 0", scan_parameters},
        {"stray bytes", stray},
        {"an escaped byte", escaped}};
    for (const auto& [name, file] : files) {
      EXPECT_EQ(Decode(file, 3).values, expected) << name;
    }
  }
}

// Restart markers number 0 to 7 in turn. If they count from elsewhere, nothing
// is missing; if one is not there, a part of the image is.
TEST(JpegTest, RestartMarkers) {
  const FileBytes usual =
      EncodeSampledJpeg(SmoothRgb(64, 64), 64, 64, JCS_RGB, 1, 1, 8);
  const std::vector<int> expected = Decode(usual, 3).values;
  const auto shifted = [&](int by) {
    FileBytes file = usual;
    for (size_t i = 0; i + 1 < file.size(); ++i) {
      if (file[i] != 0xFF || (file[i + 1] & 0xF8) != 0xD0) continue;
      file[i + 1] = static_cast<uint8_t>(0xD0 | ((file[i + 1] + by) & 7));
    }
    return file;
  };
  EXPECT_EQ(Decode(shifted(3), 3).values, expected);
  EXPECT_THAT(Refusal(shifted(1)), HasSubstr("JPEG: Corrupt JPEG data"));
  const size_t first = Find(usual, {0xFF, 0xD2});
  const size_t second = Find(usual, {0xFF, 0xD3});
  ASSERT_LT(second, usual.size());
  FileBytes without = usual;
  without.erase(without.begin() + first, without.begin() + second);
  EXPECT_THAT(Refusal(without), HasSubstr("JPEG: Corrupt JPEG data"));
}

// Between its scans a progressive file is cut off without a byte too few.
TEST(JpegTest, ScansThatAreMissingAreDamage) {
  const FileBytes whole = EncodeJpeg(SmoothRgb(40, 40), 40, 40, TJPF_RGB,
                                     TJSAMP_420, TJFLAG_PROGRESSIVE);
  int scans = 0;
  for (size_t i = 0; i + 1 < whole.size(); ++i) {
    if (whole[i] != 0xFF || whole[i + 1] != 0xDA || ++scans == 1) continue;
    EXPECT_EQ(Refusal(FileBytes(whole.begin(), whole.begin() + i)),
              "JPEG: Premature end of JPEG file");
  }
  EXPECT_GT(scans, 3);
}

// Luma keeps its resolution, whatever chroma's is; TurboJPEG refuses these.
TEST(JpegTest, OddSampling) {
  FileBytes gray;
  for (int i = 0; i < 48 * 64; ++i) {
    gray.insert(gray.end(), 3,
                static_cast<uint8_t>(40 + 2 * (i % 64) + i / 64));
  }
  const std::pair<int, int> factors[] = {
      {4, 2}, {1, 4}, {3, 1}, {2, 4}, {1, 3}};
  for (const auto& [horizontal, vertical] : factors) {
    ExpectNear(
        Decode(EncodeSampledJpeg(gray, 48, 64, JCS_RGB, horizontal, vertical),
               3),
        gray, kRounding);
  }
}

TEST(JpegTest, FourInksSubsampled) {
  FileBytes cmyk;
  for (int i = 0; i < 32 * 32; ++i)
    cmyk.insert(cmyk.end(), {200, 100, 50, 204});
  const Planes planes =
      Decode(EncodeSampledJpeg(cmyk, 32, 32, JCS_CMYK, 2, 2), 3);
  EXPECT_NEAR(planes.at(0, 9, 9), 160, kRounding);
  EXPECT_NEAR(planes.at(1, 9, 9), 80, kRounding);
  EXPECT_NEAR(planes.at(2, 9, 9), 40, kRounding);
}

std::vector<FileBytes> Rows(const FileBytes& bytes, int height) {
  std::vector<FileBytes> rows;
  const size_t row = bytes.size() / height;
  for (int y = 0; y < height; ++y) {
    rows.emplace_back(bytes.begin() + y * row, bytes.begin() + (y + 1) * row);
  }
  return rows;
}

TEST(PngTest, RgbIsExact) {
  const FileBytes rgb = SmoothRgb(9, 13);
  for (int interlace : {PNG_INTERLACE_NONE, PNG_INTERLACE_ADAM7}) {
    PngKind kind;
    kind.interlace = interlace;
    ExpectNear(Decode(EncodePng(Rows(rgb, 9), 13, kind), 3), rgb, 0);
  }
}

TEST(PngTest, ColorBecomesPillowsLuma) {
  // (19595 * 200 + 38470 * 100 + 7471 * 50 + 32768) / 65536 = 124.7
  EXPECT_THAT(Decode(EncodePng({{200, 100, 50}}, 1, {}), 1).values,
              ElementsAre(124));
}

TEST(PngTest, GrayOfAllDepths) {
  PngKind kind;
  kind.color_type = PNG_COLOR_TYPE_GRAY;
  EXPECT_THAT(Decode(EncodePng({{7, 200}}, 2, kind), 1).values,
              ElementsAre(7, 200));
  EXPECT_THAT(Decode(EncodePng({{7, 200}}, 2, kind), 3).values,
              ElementsAre(7, 200, 7, 200, 7, 200));
  kind.bits = 1;
  EXPECT_THAT(Decode(EncodePng({{0b10100000}}, 3, kind), 1).values,
              ElementsAre(255, 0, 255));
  kind.bits = 2;
  EXPECT_THAT(Decode(EncodePng({{0b00011011}}, 4, kind), 1).values,
              ElementsAre(0, 85, 170, 255));
  kind.bits = 4;
  EXPECT_THAT(Decode(EncodePng({{0x5F}}, 2, kind), 1).values,
              ElementsAre(85, 255));
  kind.bits = 16;
  EXPECT_THAT(Decode(EncodePng({{0x12, 0xFF, 0xAB, 0x00}}, 2, kind), 1).values,
              ElementsAre(0x12FF, 0xAB00));
}

TEST(PngTest, SixteenBitRgb) {
  PngKind kind;
  kind.bits = 16;
  EXPECT_THAT(Decode(EncodePng({{1, 99, 2, 99, 3, 99}}, 1, kind), 3).values,
              ElementsAre(0x163, 0x263, 0x363));
}

TEST(PngTest, AlphaIsDropped) {
  PngKind kind;
  kind.color_type = PNG_COLOR_TYPE_RGB_ALPHA;
  EXPECT_THAT(
      Decode(EncodePng({{1, 2, 3, 0, 4, 5, 6, 128}}, 2, kind), 3).values,
      ElementsAre(1, 4, 2, 5, 3, 6));
  kind.color_type = PNG_COLOR_TYPE_GRAY_ALPHA;
  EXPECT_THAT(Decode(EncodePng({{9, 0, 8, 255}}, 2, kind), 1).values,
              ElementsAre(9, 8));
}

TEST(PngTest, Palette) {
  PngKind kind;
  kind.color_type = PNG_COLOR_TYPE_PALETTE;
  kind.palette = {{10, 20, 30}, {40, 50, 60}};
  EXPECT_THAT(Decode(EncodePng({{1, 0}}, 2, kind), 3).values,
              ElementsAre(40, 10, 50, 20, 60, 30));
  kind.palette_alpha = {0, 100};
  kind.bits = 1;
  EXPECT_THAT(Decode(EncodePng({{0b01000000}}, 2, kind), 3).values,
              ElementsAre(10, 40, 20, 50, 30, 60));
}

TEST(PngTest, Damage) {
  const FileBytes whole = EncodePng(Rows(SmoothRgb(30, 30), 30), 30, {});
  EXPECT_EQ(Refusal(FileBytes(whole.begin(), whole.begin() + 20)),
            "PNG: cut off after 20 bytes");
  EXPECT_EQ(Refusal(FileBytes(whole.begin(), whole.end() - 60)),
            "PNG: the file is cut off");
  FileBytes other = whole;
  other[whole.size() / 2] ^= 0x40;
  EXPECT_THAT(Refusal(other), HasSubstr("PNG: "));
}

// 60000 x 60000 promised in IHDR; and the checksum, which nobody gets to.
TEST(PngTest, BombIsRefusedBeforeItIsAllocated) {
  FileBytes file = EncodePng({{1, 2, 3}}, 1, {});
  for (size_t at : {16, 20}) {
    file[at + 2] = 60000 / 256;
    file[at + 3] = 60000 % 256;
  }
  EXPECT_EQ(Refusal(file),
            "absurd size: 60000 x 60000 pixels of 3 bytes; at most 1024 MiB "
            "are spent on an image");
  for (size_t at : {16, 20}) file[at + 2] = 18000 / 256;
  EXPECT_THAT(Refusal(file), HasSubstr("PNG: absurd size: "));
  for (size_t at : {16, 20}) file[at] = 0x7F;
  EXPECT_THAT(Refusal(file), HasSubstr("absurd size"));
}

TEST(WebpTest, LosslessIsExact) {
  const FileBytes rgb = SmoothRgb(9, 13);
  ExpectNear(Decode(EncodeWebp(rgb, 9, 13), 3), rgb, 0);
}

// Chroma is halved, and both are quantised; alpha must not darken it.
TEST(WebpTest, LossyWithAlpha) {
  const FileBytes rgb = SmoothRgb(48, 64);
  ExpectNear(Decode(EncodeLossyWebp(rgb, 48, 64), 3), rgb, 8);
}

TEST(WebpTest, FirstFrameOfAnAnimation) {
  const FileBytes rgb = SmoothRgb(9, 13);
  const FileBytes other(3 * 9 * 13, 7);
  const std::vector<FileBytes> frames = {EncodeWebp(rgb, 9, 13),
                                         EncodeWebp(other, 9, 13)};
  ExpectNear(Decode(AnimateWebp(frames, 9, 13, 0, 0), 3), rgb, 0);
  // Beside the frame, black, whatever the file's background: as in Pillow.
  const Planes planes = Decode(AnimateWebp(frames, 20, 30, 4, 6), 3);
  ASSERT_EQ(planes.height, 20);
  EXPECT_EQ(planes.at(0, 0, 0), 0);
  EXPECT_EQ(planes.at(2, 19, 29), 0);
  EXPECT_EQ(planes.at(0, 6, 4), rgb[0]);
  EXPECT_EQ(planes.at(1, 14, 16), rgb[3 * (8 * 13 + 12) + 1]);
  FileBytes cut = AnimateWebp(frames, 9, 13, 0, 0);
  cut.resize(cut.size() - 20);
  EXPECT_EQ(Refusal(cut), "WebP: the animation is cut off or corrupt");
}

TEST(WebpTest, Damage) {
  const FileBytes whole = EncodeWebp(SmoothRgb(30, 30), 30, 30);
  EXPECT_EQ(Refusal(FileBytes(whole.begin(), whole.begin() + 14)),
            "WebP: the header is cut off or corrupt");
  EXPECT_EQ(Refusal(FileBytes(whole.begin(), whole.begin() + whole.size() / 2)),
            "WebP: the pixels are cut off or corrupt");
}

TEST(ImageFileTest, WhatItDoesNotRead) {
  EXPECT_EQ(Refusal({}), "the file is empty");
  EXPECT_EQ(Refusal({'8', 'B', 'P', 'S', 0, 1}),
            "a Photoshop file, whatever its name; JPEG, PNG, WebP, TIFF, GIF, "
            "BMP, PPM, PGM, HEIC and AVIF files are read");
  EXPECT_THAT(Refusal({'R', 'I', 'F', 'F'}),
              HasSubstr("not an image of a format that is read"));
  // Letters that a text may begin with, too.
  EXPECT_THAT(Refusal({'B', 'M', 'W', ' ', 'i', 's'}),
              HasSubstr("not an image of a format that is read"));
}

// After a damaged file, and in any order, each is what it is alone.
TEST(ImageFileTest, DecoderIsReused) {
  const FileBytes rgb = SmoothRgb(16, 24);
  const FileBytes jpeg = EncodeJpeg(rgb, 16, 24);
  const FileBytes cut(jpeg.begin(), jpeg.end() - 20);
  const FileBytes png = EncodePng(Rows(rgb, 16), 24, {});
  ImageFileDecoder decoder(3);
  ASSERT_TRUE(decoder.Open(jpeg).ok());
  ASSERT_TRUE(decoder.Decode(2).ok());
  ASSERT_TRUE(decoder.Open(cut).ok());
  EXPECT_FALSE(decoder.Decode(1).ok());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(decoder.Open(png).ok());
    const absl::StatusOr<Image> image = decoder.Decode(2);
    ASSERT_TRUE(image.ok());
    EXPECT_EQ(image->reduction, 1);  // not for PNG
    EXPECT_EQ(image->chw[0], rgb[0]);
    ASSERT_TRUE(decoder.Open(jpeg).ok());
    ASSERT_TRUE(decoder.Decode(1).ok());
  }
}

std::vector<int> Pixels(ImageFileDecoder* decoder, const FileBytes& file) {
  if (!decoder->Open(file).ok()) return {};
  const absl::StatusOr<Image> image = decoder->Decode(1);
  if (!image.ok()) return {};
  return {image->chw, image->chw + size_t{3} * image->height * image->width};
}

// A file of any format, good or not, between two of any: all are what they are
// to a decoder of their own.
TEST(ImageFileTest, NothingIsLeftOfTheFileBefore) {
  const FileBytes rgb = SmoothRgb(40, 56);
  const FileBytes cmyk(4 * 24 * 16, 99);
  const std::vector<FileBytes> good = {
      EncodeJpeg(rgb, 40, 56, TJPF_RGB, TJSAMP_420),
      EncodeJpeg(rgb, 56, 40, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE),
      EncodeJpeg(cmyk, 24, 16, TJPF_CMYK),
      EncodePng(Rows(rgb, 40), 56, {}),
      EncodeWebp(rgb, 56, 40),
      EncodeLossyWebp(rgb, 40, 56),
      EncodeTiff(rgb, 40, 56),
      EncodeBmp(rgb, 40, 56),
      EncodeGif(FileBytes(40 * 56, 9), 40, 56),
      EncodePpm(rgb, 40, 56),
      AnimateWebp({EncodeWebp(rgb, 40, 56)}, 40, 56, 0, 0)};
  std::vector<FileBytes> any = good;
  for (const FileBytes& file : good) {
    for (size_t size :
         {size_t{13}, size_t{30}, file.size() / 2, file.size() - 20}) {
      any.emplace_back(file.begin(), file.begin() + size);
    }
    FileBytes corrupt = file;
    std::fill_n(corrupt.begin() + file.size() / 2, 8, 0xFF);
    any.push_back(corrupt);
  }
  // Headers that libjpeg refuses at one place or another.
  const FileBytes& jpeg = good[0];
  const size_t frame = Find(jpeg, {0xFF, 0xC0});
  for (const auto& [at, value] :
       {std::pair<size_t, uint8_t>{1, 0xC3}, {4, 12}, {9, 2}, {11, 0x55}}) {
    FileBytes header = jpeg;
    header[frame + at] = value;
    any.push_back(header);
  }
  any.push_back(Joined({{0xFF, 0xD8}, jpeg}));
  any.emplace_back(jpeg.begin(), jpeg.begin() + frame + 19);
  any.emplace_back(jpeg.begin(), jpeg.begin() + Find(jpeg, {0xFF, 0xDA}) - 30);
  std::vector<std::vector<int>> alone;
  for (const FileBytes& file : any) {
    ImageFileDecoder decoder(3);
    alone.push_back(Pixels(&decoder, file));
  }
  for (size_t i = 0; i < good.size(); ++i) EXPECT_FALSE(alone[i].empty()) << i;
  ImageFileDecoder decoder(3);
  for (size_t before = 0; before < good.size(); ++before) {
    for (size_t between = 0; between < any.size(); ++between) {
      for (size_t after = 0; after < good.size(); ++after) {
        ASSERT_EQ(Pixels(&decoder, good[before]), alone[before]);
        ASSERT_EQ(Pixels(&decoder, any[between]), alone[between]);
        ASSERT_EQ(Pixels(&decoder, good[after]), alone[after])
            << before << " " << between << " " << after;
      }
    }
  }
}

// After an error there is nothing to decode, not even what was there before.
TEST(ImageFileTest, AnErrorCloses) {
  const FileBytes rgb = SmoothRgb(16, 24);
  const FileBytes jpeg = EncodeJpeg(rgb, 16, 24);
  ImageFileDecoder decoder(3);
  ASSERT_TRUE(decoder.Open(jpeg).ok());
  EXPECT_FALSE(decoder.Open({}).ok());
  EXPECT_EQ(decoder.Decode(1).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Whatever is done to a file, it is an image or an error. (With --config=asan,
// this is a search for reads and writes beyond buffers.)
TEST(ImageFileTest, SurvivesAnyBytes) {
  const FileBytes rgb = SmoothRgb(24, 31);
  const FileBytes block = ExifBlock(5, false);
  PngKind interlaced;
  interlaced.interlace = PNG_INTERLACE_ADAM7;
  const std::vector<FileBytes> files = {
      JpegWithExif(EncodeJpeg(rgb, 24, 31, TJPF_RGB, TJSAMP_420), block),
      EncodeJpeg(rgb, 24, 31, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE),
      PngWithExif(EncodePng(Rows(rgb, 24), 31, {}), block),
      EncodePng(Rows(rgb, 24), 31, interlaced),
      WebpWithExif(EncodeWebp(rgb, 24, 31), block),
      EncodeLossyWebp(rgb, 24, 31),
      EncodeTiff(rgb, 24, 31),
      EncodeTiff(rgb, 24, 31, COMPRESSION_ADOBE_DEFLATE),
      EncodeBmp(rgb, 24, 31),
      EncodeGif(FileBytes(24 * 31, 9), 24, 31),
      EncodePpm(rgb, 24, 31)};
  ImageFileDecoder decoder(3);
  std::mt19937 random(1);
  int images = 0, errors = 0;
  for (int round = 0; round < 3000; ++round) {
    FileBytes file = files[round % files.size()];
    for (int changes = 1 + random() % 4; changes > 0; --changes) {
      file[random() % file.size()] = static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) file.resize(1 + random() % file.size());
    const absl::StatusOr<ImageSize> size = decoder.Open(file);
    if (size.ok() && int64_t{size->height} * size->width > 1000000) continue;
    const bool ok = size.ok() && decoder.Decode(1 << random() % 4).ok();
    ++(ok ? images : errors);
  }
  EXPECT_GT(images, 100);
  EXPECT_GT(errors, 100);
}

// The stored image is
//   0 1 2
//   3 4 5
// and what each orientation makes of it is written out from EXIF's
// description: the position of the stored row 0 and column 0 is 1 top left,
// 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right
// bottom, 8 left bottom.
TEST(OrientationTest, AllEight) {
  PngKind gray;
  gray.color_type = PNG_COLOR_TYPE_GRAY;
  const FileBytes file = EncodePng({{0, 1, 2}, {3, 4, 5}}, 3, gray);
  const std::vector<std::vector<int>> expected = {
      {0, 1, 2, 3, 4, 5}, {2, 1, 0, 5, 4, 3}, {5, 4, 3, 2, 1, 0},
      {3, 4, 5, 0, 1, 2}, {0, 3, 1, 4, 2, 5}, {3, 0, 4, 1, 5, 2},
      {5, 2, 4, 1, 3, 0}, {2, 5, 1, 4, 0, 3}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (bool big_endian : {false, true}) {
      const Planes planes =
          Decode(PngWithExif(file, ExifBlock(orientation, big_endian)), 1);
      EXPECT_EQ(planes.height, orientation < 5 ? 2 : 3) << orientation;
      EXPECT_EQ(planes.values, expected[orientation - 1]) << orientation;
    }
  }
}

TEST(OrientationTest, OfEveryFormat) {
  const FileBytes rgb = SmoothRgb(16, 24);
  const FileBytes block = ExifBlock(6, true);
  for (const FileBytes& file :
       {JpegWithExif(EncodeJpeg(rgb, 16, 24), block),
        PngWithExif(EncodePng(Rows(rgb, 16), 24, {}), block),
        WebpWithExif(EncodeWebp(rgb, 16, 24), block)}) {
    const Planes planes = Decode(file, 3);
    ASSERT_EQ(planes.height, 24);
    ASSERT_EQ(planes.width, 16);
    // Stored row 0 is the right column: by 90 degrees clockwise.
    EXPECT_NEAR(planes.at(0, 0, 15), rgb[0], kRounding);
    EXPECT_NEAR(planes.at(0, 23, 15), rgb[3 * 23], kRounding);
  }
}

TEST(OrientationTest, NonsenseIsIgnored) {
  const FileBytes jpeg = EncodeJpeg(SmoothRgb(16, 24), 16, 24);
  const auto height = [&](const FileBytes& block) {
    return Decode(JpegWithExif(jpeg, block), 3).height;
  };
  EXPECT_EQ(height(ExifBlock(6, false)), 24);
  EXPECT_EQ(height(ExifBlock(0, false)), 16);
  EXPECT_EQ(height(ExifBlock(9, false)), 16);
  EXPECT_EQ(height({}), 16);
  EXPECT_EQ(height({'I', 'I', 42}), 16);
  FileBytes far = ExifBlock(6, false);
  far[4] = far[5] = far[6] = far[7] = 0xFF;  // a directory 4 GB away
  EXPECT_EQ(height(far), 16);
  FileBytes cut = ExifBlock(6, false);
  cut.resize(24);
  EXPECT_EQ(height(cut), 16);
  FileBytes many = ExifBlock(6, false);
  many[8] = many[9] = 0xFF;  // entries
  EXPECT_EQ(height(many), 24);
}

// 21 x 13 halved is 11 x 7, whose last row and column stick out by half a
// pixel, wherever they come to lie. Every displayed position must still name
// the color that is there in the full image.
TEST(OrientationTest, ReducedPositions) {
  const int height = 13, width = 21;
  const FileBytes jpeg = EncodeJpeg(SmoothRgb(height, width), height, width);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const FileBytes file = JpegWithExif(jpeg, ExifBlock(orientation, true));
    const Planes full = Decode(file, 3);
    const Planes half = Decode(file, 3, 2);
    ASSERT_EQ(half.height, (full.height + 1) / 2);
    for (int y = 1; y + 1 < half.height; ++y) {
      for (int x = 1; x + 1 < half.width; ++x) {
        // The center of the reduced pixel, in the full image.
        const int full_y = std::lround((y + 0.5 - half.top) * 2 - 0.5);
        const int full_x = std::lround((x + 0.5 - half.left) * 2 - 0.5);
        for (int c = 0; c < 2; ++c) {
          // Half a pixel's step of the ramps, and rounding.
          EXPECT_NEAR(half.at(c, y, x), full.at(c, full_y, full_x), 9)
              << orientation << " " << y << " " << x;
        }
      }
    }
  }
}

}  // namespace
}  // namespace gsg
