#ifndef GSG_GSG_CORE_SELECTIONS_MIN_H_
#define GSG_GSG_CORE_SELECTIONS_MIN_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"

namespace gsg::selections {

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

}  // namespace gsg::selections

#endif  // GSG_GSG_CORE_SELECTIONS_MIN_H_
