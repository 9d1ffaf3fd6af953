// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_DISTANCE_H_
#define GSG_GSG_CORE_DISTANCE_H_

#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distances/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// The name of a distance between two projections ("euclidean", which arXiv
// 2503.09058 uses, ...: kName of its file in distances/); "unknown" for a value
// that is not of the enum.
GSG_EXPORT absl::string_view DistanceName(Distance distance);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCE_H_
