#ifndef GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_
#define GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_

#include "absl/status/status.h"
#include "gsg_core/distance.h"
#include "gsg_core/selection.h"

namespace gsg::internal {

// InvalidArgument, naming the option: not of its enum, out of its range, not
// finite.
absl::Status CheckLossOptions(Distance distance, Selection selection,
                              const SelectionParameters& parameters,
                              double grad_scale);

}  // namespace gsg::internal

#endif  // GSG_GSG_CORE_INTERNAL_LOSS_OPTIONS_H_
