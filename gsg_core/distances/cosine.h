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

// 1 - <x, y> / (max(||x||, eps) max(||y||, eps)): 1 for a zero row.
struct Cosine {
  static constexpr absl::string_view kName = "cosine";
  static constexpr PairSum kPairSum = PairSum::kProduct;

  template <typename Real>
  GSG_HOST_DEVICE static Real Value(Real xy, Real xx, Real yy) {
    const Real eps = kNormEpsilon;
    return 1 -
           xy / (std::max(std::sqrt(xx), eps) * std::max(std::sqrt(yy), eps));
  }
};

}  // namespace distances
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCES_COSINE_H_
