#ifndef GSG_CUDA_INTERNAL_GRADIENT_H_
#define GSG_CUDA_INTERNAL_GRADIENT_H_

#include <type_traits>

#include "cuda/internal/device.h"
#include "cuda/internal/row_part.h"

namespace gsg::cuda::internal {

// A gradient as a sum of kTerms rows with these factors. With no sources among
// them it is exactly 0, whatever the rows.
template <int kTerms>
struct Combination {
  template <typename Real>
  GSG_DEVICE Real Factor(int term) const {
    if constexpr (std::is_same_v<Real, float>) return rounded[term];
    return factor[term];
  }
  // Rounds, too, for each thread would have to.
  GSG_DEVICE void Set(int term, double value) {
    factor[term] = value;
    rounded[term] = static_cast<float>(value);
  }

  bool is_zero;
  double factor[kTerms];
  float rounded[kTerms];
};

// A thread's columns of a gradient, calculated in Real and rounded once. `rows`
// are RowPart, one for each factor.
template <typename Real, typename T, int kWidth, int kKept, typename... Others>
GSG_DEVICE void WriteGradient(
    const Combination<1 + sizeof...(Others)>& combination, int cols, int thread,
    int threads, bool streaming, T* out, const RowPart<T, kWidth, kKept>& first,
    const Others&... others) {
  const bool is_zero = combination.is_zero;
  first.ForGroups(cols, thread, threads, [&](int k, int c) {
    Real sum[kWidth] = {};
    int term = 0;
    const auto add = [&](const Group<T, kWidth>& row) {
      const Real factor = combination.template Factor<Real>(term++);
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        sum[e] += factor * static_cast<Real>(ToFloat(row[e]));
      }
    };
    if (!is_zero) {
      add(first.Get(k, c));
      (add(others.Get(k, c)), ...);
    }
    Pack<T, kWidth> gradient;
    GSG_UNROLL
    for (int e = 0; e < kWidth; ++e) {
      gradient.element[e] = FromFloat<T>(static_cast<float>(sum[e]));
    }
    StorePack(gradient, streaming, out + c);
  });
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_GRADIENT_H_
