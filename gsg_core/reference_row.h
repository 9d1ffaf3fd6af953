// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_REFERENCE_ROW_H_
#define GSG_GSG_CORE_REFERENCE_ROW_H_

#include <cmath>
#include <complex>
#include <cstdint>
#include <type_traits>

#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/half.h"
#include "gsg_core/norm.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

// The loss of loss.h for one row, as plain as it can be said. reference.h loops
// over rows with it; GuidedLoss redoes a row with it where T is too narrow.
namespace gsg {
GSG_NAMESPACE_BEGIN
namespace reference {

// What reference code for values of type T calculates in. No square of a finite
// float, Half or BFloat16 leaves double's range, nor of a double that of long
// double (where long double is wider, as on x86-64).
template <typename T>
using Wide = std::conditional_t<std::is_same_v<Arithmetic<T>, float>, double,
                                long double>;

// Distance between x and y, both [n].
template <typename Real, typename T>
Real DistanceBetween(Distance distance, const T* x, const T* y, int64_t n) {
  Real xx = 0, yy = 0, xy = 0, squared_difference = 0;
  for (int64_t c = 0; c < n; ++c) {
    const Real xc = x[c], yc = y[c];
    xx += xc * xc;
    yy += yc * yc;
    xy += xc * yc;
    squared_difference += (xc - yc) * (xc - yc);
  }
  Real value = 0;
  distances::List::Visit(distance, [&](auto d) {
    switch (d.kPairSum) {
      case distances::PairSum::kSquaredDifference:
        value = d.Value(squared_difference, Real{0}, Real{0});
        break;
      case distances::PairSum::kProduct:
        value = d.Value(xy, xx, yy);
        break;
    }
  });
  return value;
}

// The choice of row `row`, from its distances in the order of selection.h.
template <typename Real>
Choice Choose(Selection selection, const Real (&distances)[4],
              const SelectionParameters& parameters, int64_t row) {
  Choice choice{};
  selections::List::Visit(selection, [&](auto s) {
    choice = s.Choose(distances, parameters, row);
  });
  return choice;
}

// max(norm, eps) by the real part, so that Real may be complex: a complex step
// through D(p, z) then gives its derivative in p almost exactly.
template <typename Real>
Real ClampedNorm(Real squared_norm) {
  using std::sqrt;
  const Real norm = sqrt(squared_norm);
  return std::real(norm) < kNormEpsilon ? Real(kNormEpsilon) : norm;
}

// D(p, z) = -<p, z> / (max(||p||, eps) max(||z||, eps)), both [n].
template <typename Real, typename P, typename Z>
Real NegativeCosine(const P* p, const Z* z, int64_t n) {
  Real pp = 0, zz = 0, pz = 0;
  for (int64_t c = 0; c < n; ++c) {
    const Real pc = p[c], zc = z[c];
    pp += pc * pc;
    zz += zc * zc;
    pz += pc * zc;
  }
  return -pz / (ClampedNorm(pp) * ClampedNorm(zz));
}

// out += factor dD(p, z)/dp, all [n].
template <typename Real, typename T, typename Out>
void AddNegativeCosineGradient(const T* p, const T* z, int64_t n, Real factor,
                               Out* out) {
  Real pp = 0, zz = 0;
  for (int64_t c = 0; c < n; ++c) {
    pp += Real{p[c]} * p[c];
    zz += Real{z[c]} * z[c];
  }
  const Real p_norm = ClampedNorm(pp), z_norm = ClampedNorm(zz);
  const Real cosine = -NegativeCosine<Real>(p, z, n);
  const bool clamped = std::sqrt(pp) < kNormEpsilon;  // the norm is constant
  for (int64_t c = 0; c < n; ++c) {
    const Real p_unit = clamped ? Real{0} : p[c] / p_norm;
    const Real z_unit = z[c] / z_norm;
    out[c] = static_cast<Out>(
        out[c] +
        static_cast<Out>(factor * (cosine * p_unit - z_unit) / p_norm));
  }
}

}  // namespace reference
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_REFERENCE_ROW_H_
