// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/internal/kernels.h"

#include <atomic>

#include "gsg_core/config.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/kernels_simd.h"

#if GSG_X86_KERNELS
#include <cpuid.h>
#endif

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {
namespace {

constexpr int kNotForced = -1;
std::atomic<int> forced{kNotForced};

#if GSG_X86_KERNELS
// Clang's __builtin_cpu_supports does not know it before version 19.
bool SupportsF16c() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

Simd BestSimd() {
  if (Supports(Simd::kAvx512)) return Simd::kAvx512;
  return Supports(Simd::kAvx2) ? Simd::kAvx2 : Simd::kBaseline;
}

}  // namespace

bool Supports(Simd simd) {
#if GSG_X86_KERNELS
  switch (simd) {
    case Simd::kBaseline:
      return true;
    case Simd::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             SupportsF16c();
    case Simd::kAvx512:
      return __builtin_cpu_supports("avx512f") && Supports(Simd::kAvx2);
  }
#endif
  return simd == Simd::kBaseline;
}

Simd CurrentSimd() {
  static const Simd best = BestSimd();
  const int simd = forced.load(std::memory_order_relaxed);
  return simd == kNotForced ? best : static_cast<Simd>(simd);
}

ForceSimd::ForceSimd(Simd simd) { forced = static_cast<int>(simd); }
ForceSimd::~ForceSimd() { forced = kNotForced; }

template <typename T>
const Kernels<T>& CurrentKernels() {
#if GSG_X86_KERNELS
  switch (CurrentSimd()) {
    case Simd::kBaseline:
      break;
    case Simd::kAvx2:
      return avx2::GetKernels<T>();
    case Simd::kAvx512:
      return avx512::GetKernels<T>();
  }
#endif
  return baseline::GetKernels<T>();
}

template const Kernels<float>& CurrentKernels();
template const Kernels<double>& CurrentKernels();
template const Kernels<Half>& CurrentKernels();
template const Kernels<BFloat16>& CurrentKernels();

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg
