#include "gsg_core/distance.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/internal/names.h"

namespace gsg {

absl::string_view DistanceName(Distance distance) {
  return internal::NameOf(distance, distances::List::kNames);
}

std::vector<absl::string_view> DistanceNames() {
  return internal::NamesIn(distances::List::kNames);
}

absl::StatusOr<Distance> ParseDistance(absl::string_view name) {
  return internal::ParseName("distance", name, distances::List::kNames);
}

}  // namespace gsg
