// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_MARGIN_H_
#define GSG_GSG_CORE_SELECTIONS_MARGIN_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"
#include "gsg_core/selections/min.h"
#include "gsg_core/selections/none.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace selections {

// Min where the closest pair is closer than each other by more than the part
// `margin`, d < (1 - margin) d_next; None where it is not, and the choice would
// say little. The gap is relative because distances are of projections as they
// are, whose scale is the network's. Two pairs that tie are never guided, with
// a margin of 0 neither.
struct Margin {
  static constexpr absl::string_view kName = "margin";
  static constexpr bool kUsesDistances = true;

  template <typename Real>
  static constexpr Choice Choose(const Real (&d)[4],
                                 const SelectionParameters& parameters,
                                 int64_t row) {
    const Choice closest = Min::Choose(d, parameters, row);
    const Real limit = d[closest.pair];
    for (int k = 0; k < 4; ++k) {
      if (k == closest.pair) continue;
      if (!(limit < static_cast<Real>(1 - parameters.margin) * d[k])) {
        return None::Choose(d, parameters, row);
      }
    }
    return closest;
  }
};

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_MARGIN_H_
