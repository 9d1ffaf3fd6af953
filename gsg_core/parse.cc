// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/parse.h"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/internal/names.h"
#include "gsg_core/internal/pairing_names.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

using core_internal::Named;

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
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is \"", name, "\"; use one of ",
                   absl::StrJoin(NamesIn(names), ", ")));
}

}  // namespace

std::vector<absl::string_view> DistanceNames() {
  return NamesIn(distances::List::kNames);
}

std::vector<absl::string_view> SelectionNames() {
  return NamesIn(selections::List::kNames);
}

std::vector<absl::string_view> PairingKindNames() {
  return NamesIn(core_internal::kPairingNames);
}

absl::StatusOr<Distance> ParseDistance(absl::string_view name) {
  return ParseName("distance", name, distances::List::kNames);
}

absl::StatusOr<Selection> ParseSelection(absl::string_view name) {
  return ParseName("selection", name, selections::List::kNames);
}

absl::StatusOr<PairingKind> ParsePairingKind(absl::string_view name) {
  return ParseName("pairing", name, core_internal::kPairingNames);
}

GSG_NAMESPACE_END
}  // namespace gsg
