// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/selection.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/internal/names.h"
#include "gsg_core/selections/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

absl::string_view SelectionName(Selection selection) {
  return core_internal::NameOf(selection, selections::List::kNames);
}

absl::Status SourceMask(absl::Span<const uint8_t> pair,
                        absl::Span<uint8_t> mask) {
  if (mask.size() != 4 * pair.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mask has ", mask.size(), " elements; pair has ",
                     pair.size(), ", and mask needs four for each"));
  }
  for (size_t i = 0; i < pair.size(); ++i) {
    if (pair[i] > kAllViews) {
      return absl::InvalidArgumentError(
          absl::StrCat("pair[", i, "] is ", pair[i], "; the largest is ",
                       kAllViews, " (all views)"));
    }
    for (int v = 0; v < 4; ++v) {
      mask[4 * i + v] =
          pair[i] == kAllViews || SourcesOf(pair[i]).weights[v] != 0;
    }
  }
  return absl::OkStatus();
}

GSG_NAMESPACE_END
}  // namespace gsg
