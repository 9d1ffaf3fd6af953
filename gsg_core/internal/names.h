// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_NAMES_H_
#define GSG_GSG_CORE_INTERNAL_NAMES_H_

#include <array>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

template <typename Enum>
struct Named {
  Enum value;
  absl::string_view name;
};

template <typename Enum, size_t kSize>
absl::string_view NameOf(Enum value,
                         const std::array<Named<Enum>, kSize>& names) {
  for (const Named<Enum>& named : names) {
    if (named.value == value) return named.name;
  }
  return "unknown";
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_NAMES_H_
