#ifndef GSG_TRAINERS_EXPLORE_LOOKS_H_
#define GSG_TRAINERS_EXPLORE_LOOKS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "trainers/explore/features.h"
#include "trainers/image/image.h"

namespace gsg {

// The side of the small pictures that are compared.
inline constexpr int kLooksSide = 24;
// Gray values' correlation from which on two of them are one picture,
inline constexpr double kLooksAlike = 0.98;
// if the colors of a grid of kColorSide cells a side differ by no more than
// this, 0 .. 1, in the mean over cells and colors.
inline constexpr int kColorSide = 4;
inline constexpr double kSameColors = 0.015;

// The whole picture at kLooksSide x kLooksSide values in 0 .. 1 for each
// channel, [channels, kLooksSide, kLooksSide], whatever its sides' ratio.
//
// full: the size of the picture that `image` is decoded from. Every small pixel
// covers the same part of the picture, to fractions of a pixel, at each size
// and in each of the eight orientations. A crop of whole pixels would not: two
// sizes of one picture were up to a small pixel apart (docs/explore.md).
void SmallPicture(const Image& image, ImageSize full, float* out);

// A picture as it is compared: what another size or stronger compression
// leaves. 688 bytes: there is one for each image of a folder.
struct Looks {
  bool known = false;
  // Hardly any contrast (a deviation below 0.01): only colors tell.
  bool flat = false;
  // The length of `gray` as a vector.
  float length = 0;
  // Rows from the top. Gray values less their mean, scaled so that the largest
  // is 127 or -127.
  std::array<int8_t, size_t{kLooksSide}* kLooksSide> gray = {};
  // Cells with R, G and B; 65,535 is 1.
  std::array<uint16_t, size_t{3}* kColorSide* kColorSide> colors = {};
};

// planes: [channels, kLooksSide, kLooksSide] values in 0 .. 1. The first three
// channels are taken for colors (luma by ITU-R BT.601); of fewer the first, for
// gray.
Looks LooksOf(absl::Span<const float> planes);

enum class Alike : uint8_t { kNo, kSame, kTurned };

// Whether two are one picture: as they are, or after turns by 90 degrees and a
// mirror (all eight orientations): by their correlation, unless both are flat,
// and their colors. kNo if one is not known.
Alike Compare(const Looks& a, const Looks& b);

// A row for each picture that is the same in all eight orientations, and whose
// nearest rows are those of its copies: pairs to Compare.
//
// Of the gray picture, at length 1, the 8 x 8 lowest coefficients c_uv of its
// cosine transform. A mirror changes signs of c_uv, a turn by 90 degrees swaps
// c_uv and c_vu besides; the row has |c_uv| + |c_vu| and their difference,
// divided by sqrt(2). Two rows are never farther apart than the pictures in
// their best orientation, for ||a| - |b|| <= |a - b|. The mean color comes
// after, small, for pictures that are flat. What is not known gets zeros.
// Memory: 268 bytes for each.
UnitRows TurnedRows(absl::Span<const Looks> looks);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_LOOKS_H_
