// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_KERNELS_H_
#define GSG_GSG_CORE_INTERNAL_KERNELS_H_

#include <cstdint>

#include "gsg_core/config.h"
#include "gsg_core/half.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// Sums are taken in Arithmetic<T> over blocks of this many columns, with an
// accumulator for each SIMD lane, and over lanes and blocks in double.
inline constexpr int64_t kBlock = 1024;

// The loops over the n columns of a row, for one instruction set. `next` are
// rows that are read or written soon: they are fetched meanwhile, as the
// hardware does not foresee rows in random order (measured: a third off
// GuidedLoss for shared views, a tenth for four, beyond the second-level
// cache).
template <typename T>
struct Kernels {
  // z: rows z11, z12, z21, z22. sums[2a + b] = ||z1a - z2b||^2.
  void (*squared_differences)(const T* const z[4], const T* const next[4],
                              int64_t n, double sums[4]);

  // sums[2a + b] = <z1a, z2b>, sums[4 + v] = ||z_v||^2.
  void (*products)(const T* const z[4], const T* const next[4], int64_t n,
                   double sums[8]);

  // sums = ||p||^2, ||z||^2, <p, z>.
  void (*view_sums)(const T* p, const T* z, const T* next, int64_t n,
                    double sums[3]);

  // out = a p + b z, rounded to T.
  void (*combine)(Arithmetic<T> a, const T* p, Arithmetic<T> b, const T* z,
                  int64_t n, T* out);

  // out = a p + b y + c z, rounded to T.
  void (*combine3)(Arithmetic<T> a, const T* p, Arithmetic<T> b, const T* y,
                   Arithmetic<T> c, const T* z, int64_t n, T* out);
};

enum class Simd { kBaseline, kAvx2, kAvx512 };

// Whether this machine and this build have it. kBaseline always.
bool Supports(Simd simd);

// The best supported one, unless ForceSimd says otherwise.
Simd CurrentSimd();

// Test hook: while it lives, CurrentSimd() is `simd` (which must be
// supported), for all threads. Not to be nested.
class ForceSimd {
 public:
  explicit ForceSimd(Simd simd);
  ~ForceSimd();
  ForceSimd(const ForceSimd&) = delete;
  ForceSimd& operator=(const ForceSimd&) = delete;
};

// The kernels of CurrentSimd(), for T = float, double, Half or BFloat16.
template <typename T>
const Kernels<T>& CurrentKernels();

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_KERNELS_H_
