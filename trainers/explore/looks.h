#ifndef GSG_TRAINERS_EXPLORE_LOOKS_H_
#define GSG_TRAINERS_EXPLORE_LOOKS_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace gsg {

// The side of the small grey pictures that are compared.
inline constexpr int kLooksSide = 24;
// Pixels' correlation from which on two of them are one picture.
inline constexpr double kLooksAlike = 0.95;

// A picture as it is compared: what another size, stronger compression or
// another brightness leaves.
struct Looks {
  bool known = false;
  double mean = 0;  // of grey values, 0 .. 1
  double deviation = 0;
  std::array<float, kLooksSide* kLooksSide> grey = {};  // rows from the top
};

// planes: [channels, kLooksSide, kLooksSide] values in 0 .. 1, of 1 or 3
// channels (the central square of an image; luma by ITU-R BT.601).
Looks LooksOf(absl::Span<const float> planes);

enum class Alike : uint8_t { kNo, kSame, kTurned };

// Whether two are one picture: as they are, or after turns by 90 degrees and a
// mirror (all eight orientations). By their correlation; of two with hardly any
// contrast (deviation below 0.01), by the mean being within 0.02. kNo if one is
// not known.
Alike Compare(const Looks& a, const Looks& b);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_LOOKS_H_
