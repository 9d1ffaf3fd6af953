#ifndef GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
#define GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/internal/row_distances.h"
#include "gsg_core/loss.h"
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
        kernels_(CurrentKernels<T>()),
        distances_(options.distance, cols) {
    selections::List::Visit(
        options.selection, [&](auto s) { uses_distances_ = s.kUsesDistances; });
  }

  bool uses_distances() const { return uses_distances_; }

  // Whether a row so far had a value that is not finite. Choose looks at z only
  // if the selection uses distances, View always at p and z.
  bool saw_non_finite() const { return distances_.saw_non_finite(); }

  // z: z11, z12, z21, z22 of the row. next: rows that are needed soon.
  Choice Choose(const T* const (&z)[4], const T* const (&next)[4],
                int64_t row) {
    typename RowDistances<T>::Real distances[4] = {};
    if (uses_distances_) distances_.Compute(z, next, distances);
    return reference::Choose(options_.selection, distances, options_, row);
  }

  // weight / 2 D(p, z). Writes grad_scale / N times its gradient to grad unless
  // that is null.
  double View(const T* p, const T* z, double weight, T* grad) {
    double sums[3];
    kernels_.view_sums(p, z, grad != nullptr ? grad : p, cols_, sums);
    const auto [pp, zz, pz] = sums;
    const bool fast = IsPlain<Sum>(pp) && IsPlain<Sum>(zz);
    if (!fast) {
      distances_.NoteFinite(p);
      distances_.NoteFinite(z);
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

  double GradFactor(double weight) const {
    return weight / 2 * options_.grad_scale / static_cast<double>(rows_);
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
  RowDistances<T> distances_;
  bool uses_distances_;
};

}  // namespace gsg::internal

#endif  // GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
