#ifndef GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_
#define GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_

#include <array>
#include <type_traits>

#include "gsg_core/host_device.h"
#include "gsg_core/internal/names.h"

namespace gsg::internal {

// The implementations of a choice (a distance, a selection): types with a
// kValue, the enumerator that they stand for, and a kName.
template <typename... Types>
struct TypeList {
  using Enum = std::common_type_t<decltype(Types::kValue)...>;

  static constexpr std::array<Named<Enum>, sizeof...(Types)> kNames = {
      Named<Enum>{Types::kValue, Types::kName}...};

  // Calls f(Type{}) for the type that stands for `value`; false if none does.
  template <typename F>
  GSG_HOST_DEVICE static bool Visit(Enum value, F&& f) {
    return ((Types::kValue == value && (f(Types{}), true)) || ...);
  }
};

}  // namespace gsg::internal

#endif  // GSG_GSG_CORE_INTERNAL_TYPE_LIST_H_
