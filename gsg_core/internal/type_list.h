// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_
#define GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_

#include <array>
#include <cstddef>

#include "gsg_core/config.h"
#include "gsg_core/host_device.h"
#include "gsg_core/internal/names.h"

// For lists of the form of GSG_SELECTIONS (selections/list.h).
#define GSG_ENUMERATOR(Name) k##Name,
#define GSG_TYPE(Name) , Name

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// The implementations of a choice (a distance, a selection): types with a
// kName, in the order of the enumerators that stand for them.
template <typename Enum, typename... Types>
struct TypeList {
  static constexpr std::array<Named<Enum>, sizeof...(Types)> Names() {
    size_t k = 0;
    return {Named<Enum>{static_cast<Enum>(k++), Types::kName}...};
  }
  static constexpr std::array<Named<Enum>, sizeof...(Types)> kNames = Names();

  // Calls f(Type{}) for the type that `value` stands for; false if none does.
  template <typename F>
  GSG_HOST_DEVICE static bool Visit(Enum value, F&& f) {
    int k = 0;
    return ((static_cast<int>(value) == k++ && (f(Types{}), true)) || ...);
  }
};

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_
