// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "gsg_core/half.h"
#include "gsg_core/internal/kernels_simd.h"

#if GSG_X86_KERNELS

#include <immintrin.h>

// To the end of the file, where templates are instantiated.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), \
                             apply_to = function)
#else
#pragma GCC target("avx2,fma,f16c")
#endif

#define GSG_SIMD avx2
#define GSG_SIMD_BYTES 32
#define GSG_SIMD_WIDEN_HALF(x) (Floats) _mm256_cvtph_ps((__m128i)(x))
#define GSG_SIMD_NARROW_HALF(x) \
  (Shorts) _mm256_cvtps_ph((__m256)(x), _MM_FROUND_TO_NEAREST_INT)
#include "gsg_core/internal/kernels-inl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif  // GSG_X86_KERNELS
