// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_VIEW_TERM_H_
#define GSG_GSG_CORE_INTERNAL_VIEW_TERM_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gsg_core/config.h"
#include "gsg_core/host_device.h"
#include "gsg_core/internal/bits.h"
#include "gsg_core/norm.h"

// The loss of loss.h from the sums over a row: what the CPU's and the GPU's
// loops over its columns share.
namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// From here on sums in Sum are no more plain: well below the square root of
// Sum's largest value.
template <typename Sum>
inline constexpr double kPlainLimit = 0;
template <>
inline constexpr double kPlainLimit<float> = 0x1p63;
template <>
inline constexpr double kPlainLimit<double> = 0x1p511;

// Sums of squares that Sum holds in full: large enough for lost denormals not
// to matter and for a norm not to be clamped, small enough for products of
// norms and coefficients of the gradient. False for NaN.
template <typename Sum>
GSG_HOST_DEVICE inline bool IsPlain(double sum) {
  return IsBetween(kNormEpsilon * kNormEpsilon, sum, kPlainLimit<Sum>);
}

// Factor of dD/dp in the gradient of a view of this weight, in a loss that is a
// mean over `rows`.
constexpr double GradFactor(double weight, double grad_scale, int64_t rows) {
  return weight / 2 * grad_scale / static_cast<double>(rows);
}

// weight / 2 D(p, z), and its gradient along_p p + along_z z.
struct ViewTerm {
  double loss;
  double along_p;
  double along_z;
};

// From pp = ||p||^2, zz = ||z||^2 and pz = <p, z>.
GSG_HOST_DEVICE inline ViewTerm ViewTermOf(double pp, double zz, double pz,
                                           double weight, double grad_factor) {
  const double p_norm = std::sqrt(pp);
  const double eps = kNormEpsilon;  // no reference to it in device code
  const double norms = std::max(p_norm, eps) * std::max(std::sqrt(zz), eps);
  const double cosine = pz / norms;
  // Where the norm of p is clamped it is a constant.
  return {-weight / 2 * cosine, p_norm < eps ? 0 : grad_factor * cosine / pp,
          -grad_factor / norms};
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_VIEW_TERM_H_
