#ifndef GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_
#define GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace gsg {

enum class ImageFormat { kUnknown, kJpeg, kPng, kWebp };

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
  return ImageFormat::kUnknown;
}

// What a file of kUnknown format is, as "a TIFF file"; empty if that is not
// known either.
inline absl::string_view OtherFormat(absl::Span<const uint8_t> file) {
  struct Known {
    absl::string_view signature;
    absl::string_view name;
    size_t at = 0;
  };
  static constexpr Known kKnown[] = {
      {{"II*\0", 4}, "a TIFF file"},
      {{"MM\0*", 4}, "a TIFF file"},
      {{"II+\0", 4}, "a TIFF file"},
      {{"MM\0+", 4}, "a TIFF file"},
      {"GIF8", "a GIF file"},
      {"BM", "a BMP file"},
      {"ftyphei", "a HEIC file", 4},
      {"ftyphev", "a HEIC file", 4},
      {"ftypmif1", "a HEIF file", 4},
      {"ftypmsf1", "a HEIF file", 4},
      {"ftypavi", "an AVIF file", 4},
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
      {"P5", "a PGM file"},
      {"P6", "a PPM file"},
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
