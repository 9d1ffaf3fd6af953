#ifndef GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
#define GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>

#include "gsg_core/distances/list.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/loss.h"
#include "gsg_core/norm.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

namespace gsg::internal {

// The loss of one row at a time, for any number of threads: fast in the
// arithmetic of T where the row's sums allow it, by the reference otherwise.
template <typename T>
class RowLoss {
 public:
  // The options must be valid and outlive this.
  RowLoss(const LossOptions& options, int64_t rows, int64_t cols)
      : options_(options),
        rows_(rows),
        cols_(cols),
        kernels_(CurrentKernels<T>()) {
    distances::List::Visit(options.distance,
                           [&](auto d) { pair_sum_ = d.kPairSum; });
    selections::List::Visit(
        options.selection, [&](auto s) { uses_distances_ = s.kUsesDistances; });
  }

  bool uses_distances() const { return uses_distances_; }

  // Whether a row so far had a value that is not finite. Choose looks at z only
  // if the selection uses distances, View always at p and z.
  bool saw_non_finite() const { return saw_non_finite_; }

  // z: z11, z12, z21, z22 of the row. next: rows that are needed soon.
  Choice Choose(const T* const (&z)[4], const T* const (&next)[4],
                int64_t row) {
    Real distances[4] = {};
    if (uses_distances_ && !FastDistances(z, next, distances)) {
      for (const T* view : z) NoteFinite(view);
      for (int k = 0; k < 4; ++k) {
        distances[k] = reference::DistanceBetween<Real>(
            options_.distance, z[k / 2], z[2 + k % 2], cols_);
      }
    }
    return reference::Choose(options_.selection, distances, options_, row);
  }

  // weight / 2 D(p, z). Writes grad_scale / N times its gradient to grad unless
  // that is null.
  double View(const T* p, const T* z, double weight, T* grad) {
    double sums[3];
    kernels_.view_sums(p, z, grad != nullptr ? grad : p, cols_, sums);
    const auto [pp, zz, pz] = sums;
    const bool fast = IsPlain(pp) && IsPlain(zz);
    if (!fast) {
      NoteFinite(p);
      NoteFinite(z);
    }
    if (weight == 0 || !fast) {
      if (grad != nullptr) std::fill_n(grad, cols_, T{});
      return weight == 0 ? 0 : SlowView(p, z, weight, grad);
    }
    const double norms = std::sqrt(pp) * std::sqrt(zz);
    const double cosine = pz / norms;
    if (grad != nullptr) {
      const double scale = GradFactor(weight);
      kernels_.combine(static_cast<Sum>(scale * cosine / pp), p,
                       static_cast<Sum>(-scale / norms), z, cols_, grad);
    }
    return -weight / 2 * cosine;
  }

 private:
  using Sum = Arithmetic<T>;
  using Real = reference::Wide<T>;

  // Sums of squares that Sum holds in full: large enough for lost denormals not
  // to matter and for a norm not to be clamped, small enough for products of
  // norms and coefficients of the gradient. False for NaN.
  static bool IsPlain(double sum) {
    static const double kMax = std::sqrt(std::numeric_limits<Sum>::max());
    return sum >= kNormEpsilon * kNormEpsilon && sum <= kMax;
  }

  void NoteFinite(const T* row) {
    const auto finite = [](Sum value) { return std::isfinite(value); };
    if (!std::all_of(row, row + cols_, finite)) saw_non_finite_ = true;
  }

  double GradFactor(double weight) const {
    return weight / 2 * options_.grad_scale / static_cast<double>(rows_);
  }

  // False if the row is not for Sum.
  bool FastDistances(const T* const (&z)[4], const T* const (&next)[4],
                     Real (&distances)[4]) const {
    double sums[8] = {};
    bool plain = true;
    switch (pair_sum_) {
      case distances::PairSum::kSquaredDifference:
        kernels_.squared_differences(z, next, cols_, sums);
        for (int k = 0; k < 4; ++k) plain &= IsPlain(sums[k]);
        break;
      case distances::PairSum::kProduct:
        kernels_.products(z, next, cols_, sums);
        for (int k = 4; k < 8; ++k) plain &= IsPlain(sums[k]);
        break;
    }
    if (!plain) return false;
    distances::List::Visit(options_.distance, [&](auto d) {
      for (int k = 0; k < 4; ++k) {
        distances[k] = d.Value(sums[k], sums[4 + k / 2], sums[6 + k % 2]);
      }
    });
    return true;
  }

  // grad holds zeros.
  double SlowView(const T* p, const T* z, double weight, T* grad) const {
    if (grad != nullptr) {
      reference::AddNegativeCosineGradient<Real>(p, z, cols_,
                                                 GradFactor(weight), grad);
    }
    return weight / 2 * reference::NegativeCosine<Real>(p, z, cols_);
  }

  const LossOptions& options_;
  const int64_t rows_;
  const int64_t cols_;
  const Kernels<T>& kernels_;
  distances::PairSum pair_sum_;
  bool uses_distances_;
  std::atomic<bool> saw_non_finite_{false};
};

}  // namespace gsg::internal

#endif  // GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
