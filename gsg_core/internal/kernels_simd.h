// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_KERNELS_SIMD_H_
#define GSG_GSG_CORE_INTERNAL_KERNELS_SIMD_H_

#include "gsg_core/config.h"
#include "gsg_core/internal/kernels.h"

// Which kernels_*.cc have contents in this build.
#if defined(__x86_64__)
#define GSG_X86_KERNELS 1
#else
#define GSG_X86_KERNELS 0
#endif

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// T is float, double, Half or BFloat16.
namespace baseline {
template <typename T>
const Kernels<T>& GetKernels();
}
namespace avx2 {
template <typename T>
const Kernels<T>& GetKernels();
}
namespace avx512 {
template <typename T>
const Kernels<T>& GetKernels();
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_KERNELS_SIMD_H_
