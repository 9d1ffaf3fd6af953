// The right values are those of Pillow's exif_transpose, which was run on files
// of each kind.

#include "trainers/image/codec/exif.h"

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"

namespace gsg {
namespace {

using Pieces = std::vector<std::string>;

FileBytes Bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string Text(const FileBytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string Big(uint32_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) {
    bytes.push_back(static_cast<char>(value >> 8 * i));
  }
  return bytes;
}

std::string Exif(int orientation) {
  return Text(ExifBlock(orientation, /*big_endian=*/false));
}

const std::string kExif("Exif\0\0", 6);
const std::string kXmp =
    std::string("http://ns.adobe.com/xap/1.0/\0", 29) + "<x tiff:Orientation";

std::string App1(const std::string& payload) {
  return "\xFF\xE1" + Big(payload.size() + 2, 2) + payload;
}

int OfJpeg(const std::string& segments) {
  return ExifOrientation(Bytes("\xFF\xD8" + segments + "\xFF\xDA"));
}

int OfPng(const Pieces& chunks) {
  std::string file("\x89PNG\r\n\x1A\n");
  for (const std::string& chunk : chunks) {
    file += Big(chunk.size() - 4, 4) + chunk + Big(0, 4);
  }
  return ExifOrientation(Bytes(file));
}

// An entry of `type`, `count` and 4 bytes of value, big-endian.
int OfEntry(int type, int count, const std::string& value,
            const std::string& behind = "") {
  return OfJpeg(App1(kExif + std::string("MM\0*", 4) + Big(8, 4) + Big(1, 2) +
                     Big(274, 2) + Big(type, 2) + Big(count, 4) + value +
                     Big(0, 4) + behind));
}

TEST(ExifTest, TypesOfNumbers) {
  EXPECT_EQ(OfEntry(3, 1, Big(6, 2) + Big(0, 2)), 6);
  EXPECT_EQ(OfEntry(3, 2, Big(6, 2) + Big(3, 2)), 6);
  EXPECT_EQ(OfEntry(4, 1, Big(6, 4)), 6);
  EXPECT_EQ(OfEntry(4, 2, Big(26, 4), Big(6, 4) + Big(1, 4)), 6);
  EXPECT_EQ(OfEntry(5, 1, Big(26, 4), Big(12, 4) + Big(2, 4)), 6);
  EXPECT_EQ(OfEntry(6, 1, "\x06" + Big(0, 3)), 6);
  EXPECT_EQ(OfEntry(8, 1, Big(6, 2) + Big(0, 2)), 6);
  EXPECT_EQ(OfEntry(9, 1, Big(6, 4)), 6);
  EXPECT_EQ(OfEntry(11, 1, Big(0x40C00000, 4)), 6);
  EXPECT_EQ(OfEntry(12, 1, Big(26, 4), Big(0x40180000, 4) + Big(0, 4)), 6);
  EXPECT_EQ(OfEntry(13, 1, Big(6, 4)), 6);
  // To Pillow these are bytes and text, and no numbers.
  EXPECT_EQ(OfEntry(1, 1, "\x06" + Big(0, 3)), 1);
  EXPECT_EQ(OfEntry(2, 2, "6" + Big(0, 3)), 1);
  EXPECT_EQ(OfEntry(7, 1, "\x06" + Big(0, 3)), 1);
  EXPECT_EQ(OfEntry(99, 1, Big(6, 4)), 1);
  EXPECT_EQ(OfEntry(3, 0, Big(6, 2) + Big(0, 2)), 1);
  EXPECT_EQ(OfEntry(3, 1, Big(9, 2) + Big(0, 2)), 1);
  EXPECT_EQ(OfEntry(4, 2, Big(4000, 4)), 1);  // beyond the end
  for (bool big_endian : {false, true}) {
    EXPECT_EQ(OfJpeg(App1(kExif + Text(ExifBlock(8, big_endian, 4)))), 8);
  }
}

TEST(ExifTest, BetweenJpegsSegments) {
  EXPECT_EQ(OfJpeg("\xFF" + App1(kExif + Exif(6))), 6);
  EXPECT_EQ(OfJpeg("\xFF\xFF\xFF" + App1(kExif + Exif(6))), 6);
  EXPECT_EQ(OfJpeg(App1("first") + "stray" + App1(kExif + Exif(6))), 6);
  EXPECT_EQ(OfJpeg(std::string("\xFF\0", 2) + App1(kExif + Exif(6))), 6);
  EXPECT_EQ(OfJpeg(App1(kExif + kExif + Exif(6))), 6);
  EXPECT_EQ(OfJpeg("\xFF\xDA" + App1(kExif + Exif(6))), 1);  // in the scan
  // One block in two segments.
  EXPECT_EQ(OfJpeg(App1(kExif + Exif(6).substr(0, 20)) +
                   App1(kExif + Exif(6).substr(20))),
            6);
}

TEST(ExifTest, Xmp) {
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"6\"/>")), 6);
  EXPECT_EQ(OfJpeg(App1(kXmp + ">3</tiff:Orientation>")), 3);
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"9\"/>")), 1);
  EXPECT_EQ(OfJpeg(App1(kXmp)), 1);
  // EXIF's comes first, whatever it says.
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"6\"/>") + App1(kExif + Exif(1))), 1);
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"6\"/>") + App1(kExif + Exif(0))), 1);
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"6\"/>") + App1(kExif + "garbage")), 1);
  // Where it says nothing, XMP's serves.
  std::string other = Exif(6);
  other[10 + 12] = 1;  // the second entry's tag is not 274
  EXPECT_EQ(OfJpeg(App1(kXmp + "=\"3\"/>") + App1(kExif + other)), 3);
}

std::string RawProfile() {
  std::string text = "\nexif\n      44\n";
  for (const char c : kExif + Exif(6)) {
    const auto byte = static_cast<uint8_t>(c);
    text.push_back("0123456789abcdef"[byte / 16]);
    text.push_back("0123456789ABCDEF"[byte % 16]);
    if (text.size() % 36 == 0) text.push_back('\n');
  }
  return text + "\n";
}

std::string Deflate(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(text.data()), text.size());
  packed.resize(size);
  return packed;
}

TEST(ExifTest, PngsChunks) {
  const std::string zero(1, '\0');
  const std::string profile = "Raw profile type exif" + zero;
  const std::string xmp = "XML:com.adobe.xmp" + zero;
  const std::string packet = "<x tiff:Orientation=\"5\"/>";
  const std::string pixels = "IDAT....";
  EXPECT_EQ(OfPng({"eXIf" + Exif(6)}), 6);
  EXPECT_EQ(OfPng({pixels, "eXIf" + kExif + Exif(6)}), 6);
  EXPECT_EQ(OfPng({"tEXt" + profile + RawProfile()}), 6);
  EXPECT_EQ(OfPng({pixels, "zTXt" + profile + zero + Deflate(RawProfile())}),
            6);
  EXPECT_EQ(OfPng({"iTXt" + profile + std::string(4, '\0') + RawProfile()}), 6);
  EXPECT_EQ(OfPng({"iTXt" + xmp + std::string(4, '\0') + packet}), 5);
  EXPECT_EQ(
      OfPng({"iTXt" + xmp + "\x01" + std::string(3, '\0') + Deflate(packet)}),
      5);
  // eXIf comes before the profile; Pillow does not read that of APP1.
  EXPECT_EQ(OfPng({"tEXt" + profile + RawProfile(), "eXIf" + Exif(3)}), 3);
  EXPECT_EQ(OfPng({"tEXtRaw profile type APP1" + zero + RawProfile()}), 1);
  EXPECT_EQ(OfPng({"tEXt" + profile + "\nexif\n 4\nno digits"}), 1);
  EXPECT_EQ(OfPng({"zTXt" + profile + zero + "not deflated"}), 1);
}

TEST(ExifTest, WebpsXmp) {
  const std::string packet = "<x tiff:Orientation=\"8\"/>";  // 26 bytes
  EXPECT_EQ(ExifOrientation(Bytes("RIFF....WEBPXMP " +
                                  std::string("\x1A\0\0\0", 4) + packet)),
            8);
}

}  // namespace
}  // namespace gsg
