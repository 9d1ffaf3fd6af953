// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_ROW_DISTANCES_H_
#define GSG_GSG_CORE_INTERNAL_ROW_DISTANCES_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "gsg_core/config.h"
#include "gsg_core/distance.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/bits.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/internal/view_term.h"
#include "gsg_core/reference_row.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// The four distances of two images at a time, for any number of threads: fast
// in the arithmetic of T where sums allow it, by the reference otherwise.
template <typename T>
class RowDistances {
 public:
  using Real = reference::Wide<T>;

  RowDistances(Distance distance, int64_t cols)
      : distance_(distance), cols_(cols), kernels_(CurrentKernels<T>()) {
    distances::List::Visit(distance, [&](auto d) { pair_sum_ = d.kPairSum; });
  }

  // z: z11, z12, z21, z22. next: rows that are needed soon.
  void Compute(const T* const (&z)[4], const T* const (&next)[4],
               Real (&distances)[4]) {
    if (ComputeFast(z, next, distances)) return;
    for (const T* view : z) NoteFinite(view);
    for (int k = 0; k < 4; ++k) {
      distances[k] = reference::DistanceBetween<Real>(distance_, z[k / 2],
                                                      z[2 + k % 2], cols_);
    }
  }

  // Looks whether a row has a value that is not finite. Compute does so itself.
  void NoteFinite(const T* row) {
    const auto finite = [](Arithmetic<T> value) { return IsFinite(value); };
    if (!std::all_of(row, row + cols_, finite)) saw_non_finite_ = true;
  }

  bool saw_non_finite() const { return saw_non_finite_; }

 private:
  // False if the rows are not for the arithmetic of T.
  bool ComputeFast(const T* const (&z)[4], const T* const (&next)[4],
                   Real (&distances)[4]) const {
    double sums[8] = {};
    bool plain = true;
    switch (pair_sum_) {
      case distances::PairSum::kSquaredDifference:
        kernels_.squared_differences(z, next, cols_, sums);
        for (int k = 0; k < 4; ++k) plain &= IsPlain<Arithmetic<T>>(sums[k]);
        break;
      case distances::PairSum::kProduct:
        kernels_.products(z, next, cols_, sums);
        for (int k = 4; k < 8; ++k) plain &= IsPlain<Arithmetic<T>>(sums[k]);
        break;
    }
    if (!plain) return false;
    distances::List::Visit(distance_, [&](auto d) {
      for (int k = 0; k < 4; ++k) {
        distances[k] = d.Value(sums[k], sums[4 + k / 2], sums[6 + k % 2]);
        plain &= !(distances[k] < d.kExactFrom);
      }
    });
    return plain;
  }

  const Distance distance_;
  const int64_t cols_;
  const Kernels<T>& kernels_;
  distances::PairSum pair_sum_;
  std::atomic<bool> saw_non_finite_{false};
};

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_ROW_DISTANCES_H_
