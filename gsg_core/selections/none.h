// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_NONE_H_
#define GSG_GSG_CORE_SELECTIONS_NONE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace selections {

// Every view is a source, at half weight: SimSiam's symmetric loss.
struct None {
  static constexpr absl::string_view kName = "none";
  static constexpr bool kUsesDistances = false;

  template <typename Real>
  static constexpr Choice Choose(const Real (&)[4], const SelectionParameters&,
                                 int64_t /*row*/) {
    return {kAllViews, {0.5, 0.5, 0.5, 0.5}};
  }
};

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_NONE_H_
