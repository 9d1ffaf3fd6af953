#ifndef GSG_GSG_CORE_DISTANCE_H_
#define GSG_GSG_CORE_DISTANCE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gsg_core/distances/list.h"

namespace gsg {

// The name of a distance between two projections ("euclidean", which arXiv
// 2503.09058 uses, ...: kName of its file in distances/); "unknown" for a value
// that is not of the enum.
absl::string_view DistanceName(Distance distance);

// All names, in the order of the enumerators.
std::vector<absl::string_view> DistanceNames();

// The distance of that name. InvalidArgument, listing the names, otherwise.
absl::StatusOr<Distance> ParseDistance(absl::string_view name);

}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCE_H_
