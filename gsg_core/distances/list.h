// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_DISTANCES_LIST_H_
#define GSG_GSG_CORE_DISTANCES_LIST_H_

#include "gsg_core/config.h"
#include "gsg_core/distances/cosine.h"
#include "gsg_core/distances/euclidean.h"
#include "gsg_core/distances/squared_euclidean.h"
#include "gsg_core/internal/type_list.h"

// The distances between two projections. None of them normalizes its inputs
// first. To add one: a file in this folder (pair_sum.h says what is in it), its
// include above and its line here, at the end.
#define GSG_DISTANCES(DISTANCE) \
  DISTANCE(Euclidean)           \
  DISTANCE(SquaredEuclidean)    \
  DISTANCE(Cosine)

namespace gsg {
GSG_NAMESPACE_BEGIN

// An enumerator for each: kEuclidean, kSquaredEuclidean, ...
enum class Distance { GSG_DISTANCES(GSG_ENUMERATOR) };

namespace distances {

using List = core_internal::TypeList<Distance GSG_DISTANCES(GSG_TYPE)>;

}  // namespace distances
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCES_LIST_H_
