// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_SOFT_H_
#define GSG_GSG_CORE_SELECTIONS_SOFT_H_

#include <cmath>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "gsg_core/choice.h"
#include "gsg_core/config.h"
#include "gsg_core/host_device.h"
#include "gsg_core/selections/min.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace selections {

// Pair k has probability q_k = exp(-d_k / temperature) / sum_j ..., and a view
// the weight sum of q over its two pairs: how likely it is a source. Towards a
// temperature of 0 that is Min (but that equal distances share), and towards
// infinity None, since both have weights of 1 an image as this has.
struct Soft {
  static constexpr absl::string_view kName = "soft";
  static constexpr bool kUsesDistances = true;

  template <typename Real>
  GSG_HOST_DEVICE static Choice Choose(const Real (&d)[4],
                                       const SelectionParameters& parameters,
                                       int64_t row) {
    Choice choice{Min::Choose(d, parameters, row).pair, {0, 0, 0, 0}};
    const Real least = d[choice.pair];
    Real q[4], sum = 0;
    for (int k = 0; k < 4; ++k) {
      // Not by a difference that is NaN where both are infinite.
      q[k] = d[k] == least
                 ? Real{1}
                 : std::exp((least - d[k]) /
                            static_cast<Real>(parameters.temperature));
      sum += q[k];
    }
    for (int k = 0; k < 4; ++k) {
      const double probability = static_cast<double>(q[k] / sum);
      choice.weights[k / 2] += probability;
      choice.weights[2 + k % 2] += probability;
    }
    return choice;
  }
};

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_SOFT_H_
