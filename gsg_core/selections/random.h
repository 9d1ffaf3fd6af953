// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_RANDOM_H_
#define GSG_GSG_CORE_SELECTIONS_RANDOM_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"
#include "gsg_core/random.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace selections {

// A uniform pair: what the guide is compared with.
struct Random {
  static constexpr absl::string_view kName = "random";
  static constexpr bool kUsesDistances = false;

  template <typename Real>
  static constexpr Choice Choose(const Real (&)[4],
                                 const SelectionParameters& parameters,
                                 int64_t row) {
    const uint64_t random = RandomBits(
        parameters.seed, RandomStream::kSelection, static_cast<uint64_t>(row));
    return SourcesOf(static_cast<int>(random >> 62));
  }
};

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_RANDOM_H_
