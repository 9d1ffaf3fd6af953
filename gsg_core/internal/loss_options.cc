// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/internal/loss_options.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/internal/bits.h"
#include "gsg_core/internal/number_text.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

absl::Status CheckLossOptions(Distance distance, Selection selection,
                              const SelectionParameters& parameters,
                              double grad_scale) {
  const auto unknown = [](const char* what, int value) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " is ", value, ", which is not one of its enumerators"));
  };
  const auto nothing = [](auto) {};
  if (!distances::List::Visit(distance, nothing)) {
    return unknown("distance", static_cast<int>(distance));
  }
  if (!selections::List::Visit(selection, nothing)) {
    return unknown("selection", static_cast<int>(selection));
  }
  // By bits, which NaN fails also under -ffast-math.
  if (!IsPositive(parameters.temperature)) {
    return absl::InvalidArgumentError(
        absl::StrCat("temperature is ", NumberText(parameters.temperature),
                     "; it must be finite and above 0"));
  }
  if (parameters.margin != 0 && !IsBetween(0x1p-1074, parameters.margin, 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("margin is ", NumberText(parameters.margin),
                     "; it must be at least 0 and below 1"));
  }
  if (!IsFinite(grad_scale)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "grad_scale is ", NumberText(grad_scale), "; it must be finite"));
  }
  return absl::OkStatus();
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg
