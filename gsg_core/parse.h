// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_PARSE_H_
#define GSG_GSG_CORE_PARSE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"

// Enumerators by their names, for command lines and files. A header of its own
// because absl::StatusOr takes a compiler longer than all of the enumerations.
namespace gsg {
GSG_NAMESPACE_BEGIN

// All names, in the order of the enumerators.
GSG_EXPORT std::vector<absl::string_view> DistanceNames();
GSG_EXPORT std::vector<absl::string_view> SelectionNames();
GSG_EXPORT std::vector<absl::string_view> PairingKindNames();

// The value of that name. InvalidArgument, listing the names, otherwise.
GSG_EXPORT absl::StatusOr<Distance> ParseDistance(absl::string_view name);
GSG_EXPORT absl::StatusOr<Selection> ParseSelection(absl::string_view name);
GSG_EXPORT absl::StatusOr<PairingKind> ParsePairingKind(absl::string_view name);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_PARSE_H_
