#ifndef GSG_GSG_CORE_DISTANCE_H_
#define GSG_GSG_CORE_DISTANCE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// How far apart two projections are (arXiv 2503.09058 uses kEuclidean). None
// of them normalises its inputs first; kCosine is scale-free by definition.
// To add one: a file in distances/, its line in distances/list.h and here.
enum class Distance {
  kEuclidean,         // "euclidean": ||x - y||
  kSquaredEuclidean,  // "squared_euclidean": ||x - y||^2
  kCosine,  // "cosine": 1 - <x, y> / (max(||x||, eps) max(||y||, eps))
};

// The name in quotes above; "unknown" for a value that is not of the enum.
absl::string_view DistanceName(Distance distance);

// The distance of that name. InvalidArgument, listing the names, otherwise.
absl::StatusOr<Distance> ParseDistance(absl::string_view name);

}  // namespace gsg

#endif  // GSG_GSG_CORE_DISTANCE_H_
