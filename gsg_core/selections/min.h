// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_MIN_H_
#define GSG_GSG_CORE_SELECTIONS_MIN_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace selections {

// The closest pair: guided stop-gradient.
struct Min {
  static constexpr absl::string_view kName = "min";
  static constexpr bool kUsesDistances = true;

  template <typename Real>
  static constexpr Choice Choose(const Real (&d)[4], const SelectionParameters&,
                                 int64_t /*row*/) {
    int pair = 0;
    for (int k = 1; k < 4; ++k) {
      if (d[k] < d[pair]) pair = k;
    }
    return SourcesOf(pair);
  }
};

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_MIN_H_
