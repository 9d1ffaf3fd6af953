#ifndef GSG_GSG_CORE_SELECTION_H_
#define GSG_GSG_CORE_SELECTION_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/choice.h"
#include "gsg_core/selections/list.h"

namespace gsg {

// The name of a selection ("min", "max", ...: kName of its file in
// selections/); "unknown" for a value that is not of the enum.
absl::string_view SelectionName(Selection selection);

// All names, in the order of the enumerators.
std::vector<absl::string_view> SelectionNames();

// The selection of that name. InvalidArgument, listing the names, otherwise.
absl::StatusOr<Selection> ParseSelection(absl::string_view name);

// mask[4 i + v] = 1 where view v of row i is a source, else 0; `pair` [N] as in
// LossResult. (Of kSoft, whose sources are all views, it marks those of the
// most probable pair.) InvalidArgument if mask does not have 4 N elements or a
// pair is above kAllViews.
absl::Status SourceMask(absl::Span<const uint8_t> pair,
                        absl::Span<uint8_t> mask);

}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTION_H_
