// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_
#define GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_

#include "absl/status/status.h"
#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/selection.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// InvalidArgument, naming the option: not of its enum, out of its range, not
// finite. Exported because //cuda calls it, too.
GSG_EXPORT absl::Status CheckLossOptions(Distance distance, Selection selection,
                                         const SelectionParameters& parameters,
                                         double grad_scale);

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_
