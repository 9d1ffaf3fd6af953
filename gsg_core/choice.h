// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_CHOICE_H_
#define GSG_GSG_CORE_CHOICE_H_

#include <cstdint>

#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Which views are sources (predictor, gradient) and which are targets
// (stop-gradient), per pair of images. The four views of a row are numbered
// 0..3 = 11, 12, 21, 22; the four distances between its images, in the order
// (11,21), (11,22), (12,21), (12,22), are pairs 0..3: pair 2a + b names view a
// of the first and view b of the second image. Ties go to the lowest pair.
// The weights of a row's views always add up to 2, and those of an image to 1.

// The numbers that some selections have. The others ignore them.
struct SelectionParameters {
  uint64_t seed = 0;  // of kRandom
  // Of kSoft: above 0, in units of the distance. Towards 0 kSoft becomes kMin,
  // towards infinity kNone.
  double temperature = 1.0;
  // Of kMargin: from 0 to below 1. A row is guided if its closest pair is by
  // more than this part closer than the next.
  double margin = 0.01;
};

// Pair index of a row in which all four views are sources.
inline constexpr uint8_t kAllViews = 4;

// What a selection decides for a row. The row's loss is
//   1/2 sum_v weights[v] D(p_v, z_partner(v)).
struct Choice {
  uint8_t pair;       // 0..3, or kAllViews; kSoft: the most probable pair
  double weights[4];  // of views 11, 12, 21, 22; 0 = not a source
};

// The other view of the same image: 11 <-> 12, 21 <-> 22.
constexpr int PartnerView(int view) { return view ^ 1; }

// The choice in which the two views of `pair` (0..3) are the sources.
constexpr Choice SourcesOf(int pair) {
  Choice choice{static_cast<uint8_t>(pair), {0, 0, 0, 0}};
  for (int k = 0; k < 2; ++k) {
    choice.weights[k] = pair / 2 == k ? 1 : 0;
    choice.weights[2 + k] = pair % 2 == k ? 1 : 0;
  }
  return choice;
}

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_CHOICE_H_
