// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_DISTANCES_EUCLIDEAN_H_
#define GSG_GSG_CORE_DISTANCES_EUCLIDEAN_H_

#include <cmath>

#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distances/pair_sum.h"
#include "gsg_core/host_device.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace distances {

// ||x - y||
struct Euclidean {
  static constexpr absl::string_view kName = "euclidean";
  static constexpr PairSum kPairSum = PairSum::kSquaredDifference;
  static constexpr double kExactFrom = 0;

  template <typename Real>
  GSG_HOST_DEVICE static Real Value(Real sum, Real /*xx*/, Real /*yy*/) {
    return std::sqrt(sum);
  }
};

}  // namespace distances
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCES_EUCLIDEAN_H_
