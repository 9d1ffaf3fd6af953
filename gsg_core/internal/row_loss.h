// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
#define GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gsg_core/config.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/internal/row_distances.h"
#include "gsg_core/internal/view_term.h"
#include "gsg_core/loss.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// The loss of one row at a time, for any number of threads: fast in the
// arithmetic of T where the row's sums allow it, by the reference otherwise.
template <typename T>
class RowLoss {
 public:
  // The options must be valid and outlive this.
  RowLoss(const LossOptions& options, int64_t rows, int64_t cols)
      : options_(options),
        parameters_(options),
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
    return reference::Choose(options_.selection, distances, parameters_, row);
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
    const ViewTerm term = ViewTermOf(pp, zz, pz, weight, GradFactor(weight));
    if (grad != nullptr) {
      kernels_.combine(static_cast<Sum>(term.along_p), p,
                       static_cast<Sum>(term.along_z), z, cols_, grad);
    }
    return term.loss;
  }

  // The same of a prediction with two targets, whose terms it adds.
  double LocalView(const T* p, const T* const (&z)[2],
                   const double (&weights)[2], T* grad) {
    if (weights[1] == 0) return View(p, z[0], weights[0], grad);
    if (weights[0] == 0) return View(p, z[1], weights[1], grad);
    double sums[2][3];
    kernels_.view_sums(p, z[0], z[1], cols_, sums[0]);
    kernels_.view_sums(p, z[1], grad != nullptr ? grad : p, cols_, sums[1]);
    const double pp = sums[0][0];
    if (!IsPlain<Sum>(pp) || !IsPlain<Sum>(sums[0][1]) ||
        !IsPlain<Sum>(sums[1][1])) {
      for (const T* row : {p, z[0], z[1]}) distances_.NoteFinite(row);
      return SlowLocalView(p, z, weights, grad);
    }
    ViewTerm terms[2];
    for (int t = 0; t < 2; ++t) {
      terms[t] = ViewTermOf(pp, sums[t][1], sums[t][2], weights[t],
                            GradFactor(weights[t]));
    }
    if (grad != nullptr) {
      kernels_.combine3(static_cast<Sum>(terms[0].along_p + terms[1].along_p),
                        p, static_cast<Sum>(terms[0].along_z), z[0],
                        static_cast<Sum>(terms[1].along_z), z[1], cols_, grad);
    }
    return terms[0].loss + terms[1].loss;
  }

 private:
  using Sum = Arithmetic<T>;
  using Real = reference::Wide<T>;

  double GradFactor(double weight) const {
    return core_internal::GradFactor(weight, options_.grad_scale, rows_);
  }

  // grad holds zeros.
  double SlowView(const T* p, const T* z, double weight, T* grad) const {
    if (grad != nullptr) {
      reference::AddNegativeCosineGradient<Real>(p, z, cols_,
                                                 GradFactor(weight), grad);
    }
    return weight / 2 * reference::NegativeCosine<Real>(p, z, cols_);
  }

  // Adds up in Real, for a gradient that is rounded once.
  double SlowLocalView(const T* p, const T* const (&z)[2],
                       const double (&weights)[2], T* grad) const {
    std::vector<Real> sum(grad != nullptr ? cols_ : 0);
    double loss = 0;
    for (int t = 0; t < 2; ++t) {
      loss += weights[t] / 2 * reference::NegativeCosine<Real>(p, z[t], cols_);
      if (grad == nullptr) continue;
      reference::AddNegativeCosineGradient<Real>(
          p, z[t], cols_, GradFactor(weights[t]), sum.data());
    }
    for (size_t c = 0; c < sum.size(); ++c) grad[c] = static_cast<T>(sum[c]);
    return loss;
  }

  const LossOptions& options_;
  const SelectionParameters parameters_;
  const int64_t rows_;
  const int64_t cols_;
  const Kernels<T>& kernels_;
  RowDistances<T> distances_;
  bool uses_distances_;
};

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_ROW_LOSS_H_
