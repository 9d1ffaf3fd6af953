// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_
#define GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_

#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace distances {

// What a distance is a function of. A distance file declares
//   kName: its name;
//   kPairSum: the sum over columns that its Value takes first;
//   kExactFrom: below this, sums in float are not enough for Value, and those
//     in double are taken;
//   Value(sum, xx, yy): the distance, where xx = sum_c x_c^2 and yy likewise
//     are taken for kProduct only (0 otherwise).
enum class PairSum {
  kSquaredDifference,  // sum_c (x_c - y_c)^2
  kProduct,            // sum_c x_c y_c
};

}  // namespace distances
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCES_PAIR_SUM_H_
