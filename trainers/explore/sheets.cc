#include "trainers/explore/sheets.h"

#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trainers/explore/answers.h"

namespace gsg {
namespace {

constexpr int kQuality = 80;
constexpr uint8_t kEmpty = 128;

// The place of a cell of a 256 x 256 grid on a curve that does not jump
// (Hilbert's).
uint32_t AlongCurve(uint32_t x, uint32_t y) {
  uint32_t along = 0;
  for (uint32_t side = 128; side > 0; side /= 2) {
    const uint32_t right = (x & side) > 0, up = (y & side) > 0;
    along += side * side * ((3 * right) ^ up);
    if (up == 0) {
      if (right == 1) {
        x = 255 - x;
        y = 255 - y;
      }
      std::swap(x, y);
    }
  }
  return along;
}

}  // namespace

std::vector<int32_t> SheetOrder(const Answers& answers) {
  const size_t n = answers.names.size();
  float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (const std::array<float, 2>& at : answers.map) {
    for (int c = 0; c < 2; ++c) {
      low[c] = std::min(low[c], at[c]);
      high[c] = std::max(high[c], at[c]);
    }
  }
  std::vector<uint32_t> along(n);
  for (size_t i = 0; i < n; ++i) {
    uint32_t cell[2];
    for (int c = 0; c < 2; ++c) {
      const float extent = std::max(high[c] - low[c], 1e-30f);
      cell[c] = static_cast<uint32_t>(
          std::clamp(256 * (answers.map[i][c] - low[c]) / extent, 0.f, 255.f));
    }
    along[i] = AlongCurve(cell[0], cell[1]);
  }
  std::vector<int32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return std::tie(answers.clusters.cluster[a], along[a]) <
           std::tie(answers.clusters.cluster[b], along[b]);
  });
  return order;
}

Sheet::Sheet(int side)
    : side_(side),
      pixels_(size_t{3} * kThumbnailsPerSheet * side * side, kEmpty) {}

void Sheet::Set(int place, absl::Span<const float> planes) {
  const size_t plane = static_cast<size_t>(side_) * side_;
  const bool gray = planes.size() < 3 * plane;
  const int64_t width = int64_t{kSheetColumns} * side_;
  const int64_t left = int64_t{place % kSheetColumns} * side_;
  const int64_t top = int64_t{place / kSheetColumns} * side_;
  for (int y = 0; y < side_; ++y) {
    uint8_t* out = pixels_.data() + 3 * ((top + y) * width + left);
    for (int x = 0; x < side_; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float value =
            planes[(gray ? 0 : c * plane) + static_cast<size_t>(y) * side_ + x];
        *out++ = static_cast<uint8_t>(
            std::lround(255 * std::clamp(value, 0.f, 1.f)));
      }
    }
  }
}

absl::StatusOr<std::string> Sheet::Encode() const {
  const int side = kSheetColumns * side_;
  return EncodeJpegFile(pixels_, side, side);
}

absl::StatusOr<std::string> EncodeJpegFile(absl::Span<const uint8_t> rgb,
                                           int width, int height) {
  const tjhandle encoder = tjInitCompress();
  if (encoder == nullptr) return absl::InternalError("no JPEG encoder");
  const absl::Cleanup destroy = [encoder] { tjDestroy(encoder); };
  unsigned char* file = nullptr;
  unsigned long size = 0;  // turbojpeg's type
  const int failed =
      tjCompress2(encoder, rgb.data(), width, 0, height, TJPF_RGB, &file, &size,
                  TJSAMP_420, kQuality, 0);
  const absl::Cleanup free_file = [&file] { tjFree(file); };
  if (failed != 0) {
    return absl::InternalError(
        absl::StrCat("a picture of ", width, " x ", height,
                     " cannot be written: ", tjGetErrorStr2(encoder)));
  }
  return std::string(reinterpret_cast<const char*>(file), size);
}

}  // namespace gsg
