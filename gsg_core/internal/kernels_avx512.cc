#include <cstdint>

#include "gsg_core/internal/kernels_simd.h"

#if GSG_X86_KERNELS

// To the end of the file, where templates are instantiated.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx2,fma")
#endif

#define GSG_SIMD avx512
#define GSG_SIMD_BYTES 64
#include "gsg_core/internal/kernels-inl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif  // GSG_X86_KERNELS
