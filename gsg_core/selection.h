// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTION_H_
#define GSG_GSG_CORE_SELECTION_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"
#include "gsg_core/selections/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// The name of a selection ("min", "max", ...: kName of its file in
// selections/); "unknown" for a value that is not of the enum.
GSG_EXPORT absl::string_view SelectionName(Selection selection);

// mask[4 i + v] = 1 where view v of row i is a source, else 0; `pair` [N] as in
// LossResult. (Of kSoft, whose sources are all views, it marks those of the
// most probable pair.) InvalidArgument if mask does not have 4 N elements or a
// pair is above kAllViews.
GSG_EXPORT absl::Status SourceMask(absl::Span<const uint8_t> pair,
                                   absl::Span<uint8_t> mask);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTION_H_
