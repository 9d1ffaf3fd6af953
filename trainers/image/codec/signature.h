#ifndef GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_
#define GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsg {

enum class ImageFormat {
  kUnknown,
  kJpeg,
  kPng,
  kWebp,
  kTiff,
  kGif,
  kBmp,
  kPnm,
  kHeif,  // HEIC and AVIF
};

// The formats that are read, for messages.
inline constexpr char kImageFormats[] =
    "JPEG, PNG, WebP, TIFF, GIF, BMP, PPM, PGM, HEIC and AVIF";

inline bool StartsWith(absl::Span<const uint8_t> bytes,
                       absl::string_view prefix) {
  return bytes.size() >= prefix.size() &&
         std::equal(
             prefix.begin(), prefix.end(), bytes.begin(),
             [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

// By a file's first bytes; names lie more often than they do.
inline ImageFormat FormatOf(absl::Span<const uint8_t> file) {
  if (StartsWith(file, "\xFF\xD8\xFF")) return ImageFormat::kJpeg;
  if (StartsWith(file, "\x89PNG\r\n\x1A\n")) return ImageFormat::kPng;
  if (StartsWith(file, "RIFF") && file.size() >= 12 &&
      StartsWith(file.subspan(8), "WEBP")) {
    return ImageFormat::kWebp;
  }
  for (const absl::string_view signature :
       {absl::string_view("II*\0", 4), absl::string_view("MM\0*", 4),
        absl::string_view("II+\0", 4), absl::string_view("MM\0+", 4)}) {
    if (StartsWith(file, signature)) return ImageFormat::kTiff;
  }
  if (StartsWith(file, "GIF87a") || StartsWith(file, "GIF89a")) {
    return ImageFormat::kGif;
  }
  // Two letters are little: behind them, and three numbers, is a header's size.
  if (StartsWith(file, "BM") && file.size() >= 18 && file[14] >= 12 &&
      file[14] <= 124 && file[15] == 0 && file[16] == 0 && file[17] == 0) {
    return ImageFormat::kBmp;
  }
  if ((StartsWith(file, "P5") || StartsWith(file, "P6")) && file.size() >= 3 &&
      (file[2] == '#' || absl::ascii_isspace(file[2]))) {
    return ImageFormat::kPnm;
  }
  if (file.size() >= 12) {
    for (const absl::string_view brand :
         {"ftyphei", "ftyphev", "ftypmif1", "ftypmsf1", "ftypavi"}) {
      if (StartsWith(file.subspan(4), brand)) return ImageFormat::kHeif;
    }
  }
  return ImageFormat::kUnknown;
}

// What a file of `format`, which is known, is.
inline absl::string_view NameOf(ImageFormat format) {
  switch (format) {
    case ImageFormat::kUnknown:
      break;
    case ImageFormat::kJpeg:
      return "a JPEG image";
    case ImageFormat::kPng:
      return "a PNG image";
    case ImageFormat::kWebp:
      return "a WebP image";
    case ImageFormat::kTiff:
      return "a TIFF image";
    case ImageFormat::kGif:
      return "a GIF image";
    case ImageFormat::kBmp:
      return "a BMP image";
    case ImageFormat::kPnm:
      return "a PPM or PGM image";
    case ImageFormat::kHeif:
      return "a HEIC or AVIF image";
  }
  return "";
}

// What a file of kUnknown format is, as "a Photoshop file"; empty if that is
// not known either.
inline absl::string_view OtherFormat(absl::Span<const uint8_t> file) {
  struct Known {
    absl::string_view signature;
    absl::string_view name;
    size_t at = 0;
  };
  static constexpr Known kKnown[] = {
      {"ftypcrx ", "a camera's raw file", 4},
      {"ftyp", "a film (MP4 or the like)", 4},
      {{"\0\0\0\x0CJXL ", 8}, "a JPEG XL file"},
      {"\xFF\x0A", "a JPEG XL file"},
      {{"\0\0\0\x0CjP  ", 8}, "a JPEG 2000 file"},
      {"\xFF\x4F\xFF\x51", "a JPEG 2000 file"},
      {"8BPS", "a Photoshop file"},
      {{"\0\0\1\0", 4}, "an icon file"},
      {"%PDF", "a PDF file"},
      {{"\0\5\x16\7", 4}, "the second half of a Macintosh file"},
      {"PK\3\4", "a zip archive"},
      {"\x1F\x8B", "a gzip file"},
      {"7z\xBC\xAF", "a 7z archive"},
      {"Rar!", "a RAR archive"},
      {"ustar", "a tar archive", 257},
      {"version https://git-lfs", "a pointer of Git LFS (run git lfs pull)"},
      {"<!DOCTYPE", "a web page"},
      {"<!doctype", "a web page"},
      {"<html", "a web page"},
      {"<svg", "an SVG file"},
      {"<?xml", "an XML or SVG file"},
  };
  for (const Known& known : kKnown) {
    if (file.size() > known.at &&
        StartsWith(file.subspan(known.at), known.signature)) {
      return known.name;
    }
  }
  return "";
}

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_
