// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/distance.h"

#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/internal/names.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

absl::string_view DistanceName(Distance distance) {
  return core_internal::NameOf(distance, distances::List::kNames);
}

GSG_NAMESPACE_END
}  // namespace gsg
