#ifndef GSG_TRAINERS_EXPLORE_LOOKS_H_
#define GSG_TRAINERS_EXPLORE_LOOKS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace gsg {

// The side of the small gray pictures that are compared.
inline constexpr int kLooksSide = 24;
// Pixels' correlation from which on two of them are one picture,
inline constexpr double kLooksAlike = 0.9;
// if the colors of a grid of kColorSide cells a side differ by no more than
// this, 0 .. 1, in the mean over cells and colors.
inline constexpr int kColorSide = 4;
inline constexpr double kSameColors = 0.015;

// A picture as it is compared: what another size or stronger compression
// leaves.
struct Looks {
  bool known = false;
  double mean = 0;  // of gray values, 0 .. 1
  double deviation = 0;
  // Rows from the top; of `colors`, cells with R, G and B.
  std::array<float, size_t{kLooksSide}* kLooksSide> gray = {};
  std::array<float, size_t{3}* kColorSide* kColorSide> colors = {};
};

// planes: [channels, kLooksSide, kLooksSide] values in 0 .. 1, of 1 or 3
// channels (the central square of an image; luma by ITU-R BT.601).
Looks LooksOf(absl::Span<const float> planes);

enum class Alike : uint8_t { kNo, kSame, kTurned };

// Whether two are one picture: as they are, or after turns by 90 degrees and a
// mirror (all eight orientations): by their correlation, unless both have
// hardly any contrast (deviation below 0.01), and their colors. kNo if one is
// not known.
Alike Compare(const Looks& a, const Looks& b);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_LOOKS_H_
