#include "trainers/explore/looks.h"

#include <cmath>
#include <cstddef>

#include "absl/types/span.h"

namespace gsg {
namespace {

constexpr double kFlat = 0.01;

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

double ColorDifference(const Looks& a, const Looks& b, int orientation) {
  double sum = 0;
  for (int y = 0; y < kColorSide; ++y) {
    for (int x = 0; x < kColorSide; ++x) {
      const int here = 3 * (y * kColorSide + x);
      const int there = 3 * Turned(orientation, kColorSide, y, x);
      for (int c = 0; c < 3; ++c) {
        sum += std::abs(a.colors[here + c] - b.colors[there + c]);
      }
    }
  }
  return sum / (3 * kColorSide * kColorSide);
}

double Correlation(const Looks& a, const Looks& b, int orientation) {
  double sum = 0;
  for (int y = 0; y < kLooksSide; ++y) {
    for (int x = 0; x < kLooksSide; ++x) {
      sum += (a.gray[y * kLooksSide + x] - a.mean) *
             (b.gray[Turned(orientation, kLooksSide, y, x)] - b.mean);
    }
  }
  return sum / (kLooksSide * kLooksSide) / (a.deviation * b.deviation);
}

}  // namespace

Looks LooksOf(absl::Span<const float> planes) {
  constexpr size_t kPlane = size_t{kLooksSide} * kLooksSide;
  Looks looks;
  looks.known = true;
  double square = 0;
  for (size_t i = 0; i < kPlane; ++i) {
    looks.gray[i] = planes.size() == kPlane
                        ? planes[i]
                        : 0.299f * planes[i] + 0.587f * planes[kPlane + i] +
                              0.114f * planes[2 * kPlane + i];
    looks.mean += looks.gray[i];
  }
  looks.mean /= kPlane;
  for (const float value : looks.gray) {
    square += (value - looks.mean) * (value - looks.mean);
  }
  looks.deviation = std::sqrt(square / kPlane);
  constexpr int kCell = kLooksSide / kColorSide;
  for (int c = 0; c < 3; ++c) {
    const size_t plane = planes.size() == kPlane ? 0 : c * kPlane;
    for (int y = 0; y < kLooksSide; ++y) {
      for (int x = 0; x < kLooksSide; ++x) {
        looks.colors[3 * (y / kCell * kColorSide + x / kCell) + c] +=
            planes[plane + y * kLooksSide + x] / (kCell * kCell);
      }
    }
  }
  return looks;
}

Alike Compare(const Looks& a, const Looks& b) {
  if (!a.known || !b.known) return Alike::kNo;
  const bool flat = a.deviation < kFlat && b.deviation < kFlat;
  if (!flat && (a.deviation < kFlat || b.deviation < kFlat)) return Alike::kNo;
  for (int orientation = 0; orientation < 8; ++orientation) {
    if (ColorDifference(a, b, orientation) <= kSameColors &&
        (flat || Correlation(a, b, orientation) >= kLooksAlike)) {
      return orientation == 0 ? Alike::kSame : Alike::kTurned;
    }
  }
  return Alike::kNo;
}

}  // namespace gsg
