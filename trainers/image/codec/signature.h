#ifndef GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_
#define GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_

#include <algorithm>
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

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CODEC_SIGNATURE_H_
