// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_DISTANCES_COSINE_H_
#define GSG_GSG_CORE_DISTANCES_COSINE_H_

#include <algorithm>
#include <cmath>

#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distances/pair_sum.h"
#include "gsg_core/host_device.h"
#include "gsg_core/norm.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace distances {

// 1 - <x, y> / (max(||x||, eps) max(||y||, eps)): 1 for a zero row. Below 2^-46
// it counts as 0: rows in one direction are no farther apart than others in one
// direction, and such angles, of 2e-7, are rounding errors of float rows.
struct Cosine {
  static constexpr absl::string_view kName = "cosine";
  static constexpr PairSum kPairSum = PairSum::kProduct;
  // The difference cancels what a cosine near 1 has in common with it.
  static constexpr double kExactFrom = 0x1p-6;

  template <typename Real>
  GSG_HOST_DEVICE static Real Value(Real xy, Real xx, Real yy) {
    const Real eps = kNormEpsilon;
    const Real distance =
        1 - xy / (std::max(std::sqrt(xx), eps) * std::max(std::sqrt(yy), eps));
    return distance < Real{0x1p-46} ? Real{0} : distance;
  }
};

}  // namespace distances
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCES_COSINE_H_
