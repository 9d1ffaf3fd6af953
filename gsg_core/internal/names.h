#ifndef GSG_GSG_CORE_INTERNAL_NAMES_H_
#define GSG_GSG_CORE_INTERNAL_NAMES_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace gsg::internal {

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

template <typename Enum, size_t kSize>
std::vector<absl::string_view> NamesIn(
    const std::array<Named<Enum>, kSize>& names) {
  std::vector<absl::string_view> result;
  for (const Named<Enum>& named : names) result.push_back(named.name);
  return result;
}

// `what` is the argument's name in the error, which lists all names.
template <typename Enum, size_t kSize>
absl::StatusOr<Enum> ParseName(absl::string_view what, absl::string_view name,
                               const std::array<Named<Enum>, kSize>& names) {
  for (const Named<Enum>& named : names) {
    if (named.name == name) return named.value;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      what, " is \"", name, "\"; use one of ",
      absl::StrJoin(names, ", ", [](std::string* out, const auto& named) {
        out->append(named.name.data(), named.name.size());
      })));
}

}  // namespace gsg::internal

#endif  // GSG_GSG_CORE_INTERNAL_NAMES_H_
