#include "trainers/explore/looks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "Eigen/Core"
#include "absl/types/span.h"
#include "pixels/filter.h"
#include "trainers/augment/resample.h"
#include "trainers/explore/features.h"
#include "trainers/image/image.h"

namespace gsg {
namespace {

constexpr double kFlat = 0.01;
constexpr int kPlane = kLooksSide * kLooksSide;
constexpr float kLargestGray = 127;
constexpr float kLargestColor = 65535;
constexpr int kFrequencies = 8;
// Beside a pattern of length 1.
constexpr float kColorWeight = 0.1f;
constexpr int kTurnedWidth = kFrequencies * kFrequencies - 1 + 4;

// The place in `b` of pixel (y, x) of `a`, squares of `side`, in orientation
// 0 .. 7.
int Turned(int orientation, int side, int y, int x) {
  if (orientation & 4) x = side - 1 - x;
  for (int turn = 0; turn < (orientation & 3); ++turn) {
    const int before = y;
    y = x;
    x = side - 1 - before;
  }
  return y * side + x;
}

// Turned is affine: (first, by row, by column) of its places.
struct Walk {
  int first, row, column;
  Walk(int orientation, int side)
      : first(Turned(orientation, side, 0, 0)),
        row(Turned(orientation, side, 1, 0) - first),
        column(Turned(orientation, side, 0, 1) - first) {}
};

double ColorDifference(const Looks& a, const Looks& b, int orientation) {
  const Walk walk(orientation, kColorSide);
  int64_t sum = 0;
  for (int y = 0; y < kColorSide; ++y) {
    for (int x = 0; x < kColorSide; ++x) {
      const int here = 3 * (y * kColorSide + x);
      const int there = 3 * (walk.first + y * walk.row + x * walk.column);
      for (int c = 0; c < 3; ++c) {
        sum += std::abs(a.colors[here + c] - b.colors[there + c]);
      }
    }
  }
  return static_cast<double>(sum) /
         (double{kLargestColor} * 3 * kColorSide * kColorSide);
}

double Correlation(const Looks& a, const Looks& b, int orientation) {
  const Walk walk(orientation, kLooksSide);
  int64_t sum = 0;
  for (int y = 0; y < kLooksSide; ++y) {
    int row = 0;
    for (int x = 0; x < kLooksSide; ++x) {
      row += a.gray[y * kLooksSide + x] *
             b.gray[walk.first + y * walk.row + x * walk.column];
    }
    sum += row;
  }
  return static_cast<double>(sum) / (double{a.length} * b.length);
}

using Square = Eigen::Matrix<float, kLooksSide, kLooksSide, Eigen::RowMajor>;
using Waves = Eigen::Matrix<float, kFrequencies, kLooksSide, Eigen::RowMajor>;
using Coefficients =
    Eigen::Matrix<float, kFrequencies, kFrequencies, Eigen::RowMajor>;

// The orthonormal cosine transform's first rows.
Waves CosineWaves() {
  Waves waves;
  for (int u = 0; u < kFrequencies; ++u) {
    for (int x = 0; x < kLooksSide; ++x) {
      waves(u, x) =
          static_cast<float>(std::sqrt((u == 0 ? 1. : 2.) / kLooksSide) *
                             std::cos(M_PI * (x + 0.5) * u / kLooksSide));
    }
  }
  return waves;
}

void TurnedRow(const Looks& looks, const Waves& waves, float* out) {
  float* at = out;
  if (looks.flat) {
    at = std::fill_n(at, kFrequencies * kFrequencies - 1, 0.f);
  } else {
    const Square gray =
        Eigen::Map<const Eigen::Matrix<int8_t, kLooksSide, kLooksSide,
                                       Eigen::RowMajor>>(looks.gray.data())
            .cast<float>() /
        looks.length;
    const Coefficients c = (waves * gray * waves.transpose()).cwiseAbs().eval();
    for (int u = 0; u < kFrequencies; ++u) {
      for (int v = 0; v < u; ++v) {
        *at++ = (c(u, v) + c(v, u)) * static_cast<float>(M_SQRT1_2);
        *at++ = std::abs(c(u, v) - c(v, u)) * static_cast<float>(M_SQRT1_2);
      }
      if (u > 0) *at++ = c(u, u);
    }
  }
  float color[3] = {};
  for (size_t i = 0; i < looks.colors.size(); ++i) {
    color[i % 3] += looks.colors[i] / kLargestColor * 3 /
                    static_cast<float>(looks.colors.size());
  }
  // Beside 1, so that also shades of one hue differ in direction.
  for (const float value : color) *at++ = kColorWeight * value;
  *at++ = kColorWeight;
  Eigen::Map<Eigen::Matrix<float, kTurnedWidth, 1>>(out).normalize();
}

}  // namespace

void SmallPicture(const Image& image, ImageSize full, float* out) {
  Resampler resampler(kLooksSide);
  const auto whole = [&](int length, double first, int available) {
    return Window{first, static_cast<double>(length) / image.reduction, 0,
                  available};
  };
  resampler.SetShape(whole(full.height, image.top, image.height),
                     whole(full.width, image.left, image.width),
                     /*flip=*/false);
  for (int c = 0; c < image.channels; ++c) {
    resampler.Apply(image, c, out + int64_t{c} * kPlane);
  }
}

Looks LooksOf(absl::Span<const float> planes) {
  const bool color = planes.size() >= size_t{3} * kPlane;
  std::array<float, kPlane> gray;
  double mean = 0, square = 0;
  for (int i = 0; i < kPlane; ++i) {
    gray[i] = color ? 0.299f * planes[i] + 0.587f * planes[kPlane + i] +
                          0.114f * planes[2 * kPlane + i]
                    : planes[i];
    mean += gray[i];
  }
  mean /= kPlane;
  float largest = 0;
  for (float& value : gray) {
    value -= static_cast<float>(mean);
    square += double{value} * value;
    largest = std::max(largest, std::abs(value));
  }
  Looks looks;
  looks.known = true;
  looks.flat = std::sqrt(square / kPlane) < kFlat;
  int64_t length = 0;
  for (int i = 0; i < kPlane && largest > 0; ++i) {
    looks.gray[i] =
        static_cast<int8_t>(std::lround(kLargestGray * gray[i] / largest));
    length += looks.gray[i] * looks.gray[i];
  }
  looks.length = std::sqrt(static_cast<float>(length));
  constexpr int kCell = kLooksSide / kColorSide;
  std::array<float, size_t{3}* kColorSide* kColorSide> cells = {};
  for (int c = 0; c < 3; ++c) {
    const int plane = color ? c * kPlane : 0;
    for (int y = 0; y < kLooksSide; ++y) {
      for (int x = 0; x < kLooksSide; ++x) {
        cells[3 * (y / kCell * kColorSide + x / kCell) + c] +=
            planes[plane + y * kLooksSide + x] / (kCell * kCell);
      }
    }
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    looks.colors[i] = static_cast<uint16_t>(
        std::lround(kLargestColor * std::clamp(cells[i], 0.f, 1.f)));
  }
  return looks;
}

Alike Compare(const Looks& a, const Looks& b) {
  if (!a.known || !b.known || a.flat != b.flat) return Alike::kNo;
  for (int orientation = 0; orientation < 8; ++orientation) {
    if (ColorDifference(a, b, orientation) <= kSameColors &&
        (a.flat || Correlation(a, b, orientation) >= kLooksAlike)) {
      return orientation == 0 ? Alike::kSame : Alike::kTurned;
    }
  }
  return Alike::kNo;
}

UnitRows TurnedRows(absl::Span<const Looks> looks) {
  const Waves waves = CosineWaves();
  UnitRows rows;
  rows.n = static_cast<int64_t>(looks.size());
  rows.d = kTurnedWidth;
  rows.values.resize(rows.n * rows.d);
  for (int64_t i = 0; i < rows.n; ++i) {
    if (looks[i].known) {
      TurnedRow(looks[i], waves, rows.values.data() + i * rows.d);
    }
  }
  return rows;
}

}  // namespace gsg
