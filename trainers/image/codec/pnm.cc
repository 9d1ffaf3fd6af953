#include "trainers/image/codec/pnm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/codec/raster.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

struct Header {
  ImageSize size;
  int channels = 1;
  int most = 255;  // the largest value
  size_t pixels_at = 0;
};

// The next number of a header, behind white space and comments; -1 if there is
// none. *at moves behind it and the one byte that ends it.
int64_t TakeNumber(absl::Span<const uint8_t> file, size_t* at) {
  constexpr int64_t kMost = int64_t{1} << 31;
  while (*at < file.size()) {
    if (file[*at] == '#') {
      while (*at < file.size() && file[*at] != '\n' && file[*at] != '\r') {
        ++*at;
      }
    } else if (!absl::ascii_isspace(file[*at])) {
      break;
    } else {
      ++*at;
    }
  }
  int64_t value = -1;
  for (; *at < file.size() && absl::ascii_isdigit(file[*at]); ++*at) {
    value = std::max<int64_t>(value, 0) * 10 + (file[*at] - '0');
    if (value > kMost) return -1;
  }
  if (*at >= file.size() || !absl::ascii_isspace(file[*at])) return -1;
  ++*at;
  return value;
}

absl::StatusOr<Header> ReadHeader(absl::Span<const uint8_t> file) {
  Header header;
  header.channels = file.size() > 1 && file[1] == '6' ? 3 : 1;
  header.pixels_at = 2;
  const int64_t width = TakeNumber(file, &header.pixels_at);
  const int64_t height = width < 0 ? -1 : TakeNumber(file, &header.pixels_at);
  const int64_t most = height < 0 ? -1 : TakeNumber(file, &header.pixels_at);
  if (most < 1 || most > 65535) {
    return absl::DataLossError("PPM: the header is cut off or corrupt");
  }
  GSG_RETURN_IF_ERROR(CheckSize(height, width, most > 255 ? 6 : 3));
  const int64_t bytes = height * width * header.channels * (most > 255 ? 2 : 1);
  const auto left = static_cast<int64_t>(file.size() - header.pixels_at);
  if (bytes > left) {
    return absl::DataLossError(absl::StrCat("PPM: cut off after ", left, " of ",
                                            bytes, " bytes of pixels"));
  }
  header.size = {static_cast<int>(height), static_cast<int>(width)};
  header.most = static_cast<int>(most);
  return header;
}

}  // namespace

absl::StatusOr<ImageSize> PnmSize(absl::Span<const uint8_t> file) {
  GSG_ASSIGN_OR_RETURN(const Header header, ReadHeader(file));
  return header.size;
}

absl::Status DecodePnm(absl::Span<const uint8_t> file, Raster* raster) {
  GSG_ASSIGN_OR_RETURN(const Header header, ReadHeader(file));
  const bool wide = header.most > 255;
  std::vector<uint16_t> scaled(header.most + 1);
  for (int v = 0; v <= header.most; ++v) {
    // In this order, and ties to even, as Pillow does it.
    scaled[v] = static_cast<uint16_t>(std::nearbyint(
        static_cast<double>(v) / header.most * (wide ? 65535 : 255)));
  }
  raster->Resize(header.size.height, header.size.width, header.channels, wide);
  const uint8_t* in = file.data() + header.pixels_at;
  if (wide) {
    auto* const out = raster->Values<uint16_t>();
    for (size_t i = 0; i < raster->pixels.size() / 2; ++i, in += 2) {
      out[i] = scaled[std::min(in[0] << 8 | in[1], header.most)];
    }
  } else {
    for (uint8_t& out : raster->pixels) {
      out = static_cast<uint8_t>(scaled[std::min<int>(*in++, header.most)]);
    }
  }
  return absl::OkStatus();
}

}  // namespace gsg
