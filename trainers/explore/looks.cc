#include "trainers/explore/looks.h"

#include <cmath>
#include <cstddef>

#include "absl/types/span.h"

namespace gsg {
namespace {

constexpr double kFlat = 0.01;
constexpr double kSameMean = 0.02;

// The place in `b` of pixel (y, x) of `a` in orientation 0 .. 7.
int Turned(int orientation, int y, int x) {
  constexpr int kLast = kLooksSide - 1;
  if (orientation & 4) x = kLast - x;
  for (int turn = 0; turn < (orientation & 3); ++turn) {
    const int before = y;
    y = x;
    x = kLast - before;
  }
  return y * kLooksSide + x;
}

double Correlation(const Looks& a, const Looks& b, int orientation) {
  double sum = 0;
  for (int y = 0; y < kLooksSide; ++y) {
    for (int x = 0; x < kLooksSide; ++x) {
      sum += (a.grey[y * kLooksSide + x] - a.mean) *
             (b.grey[Turned(orientation, y, x)] - b.mean);
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
    looks.grey[i] = planes.size() == kPlane
                        ? planes[i]
                        : 0.299f * planes[i] + 0.587f * planes[kPlane + i] +
                              0.114f * planes[2 * kPlane + i];
    looks.mean += looks.grey[i];
  }
  looks.mean /= kPlane;
  for (const float value : looks.grey) {
    square += (value - looks.mean) * (value - looks.mean);
  }
  looks.deviation = std::sqrt(square / kPlane);
  return looks;
}

Alike Compare(const Looks& a, const Looks& b) {
  if (!a.known || !b.known) return Alike::kNo;
  if (a.deviation < kFlat || b.deviation < kFlat) {
    const bool both = a.deviation < kFlat && b.deviation < kFlat;
    return both && std::abs(a.mean - b.mean) < kSameMean ? Alike::kSame
                                                         : Alike::kNo;
  }
  if (Correlation(a, b, 0) >= kLooksAlike) return Alike::kSame;
  for (int orientation = 1; orientation < 8; ++orientation) {
    if (Correlation(a, b, orientation) >= kLooksAlike) return Alike::kTurned;
  }
  return Alike::kNo;
}

}  // namespace gsg
