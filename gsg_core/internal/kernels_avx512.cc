// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "gsg_core/half.h"
#include "gsg_core/internal/kernels_simd.h"

#if GSG_X86_KERNELS

#include <immintrin.h>

// To the end of the file, where templates are instantiated.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma,f16c"))), \
                             apply_to = function)
#else
#pragma GCC target("avx512f,avx2,fma,f16c")
#endif

#define GSG_SIMD avx512
#define GSG_SIMD_BYTES 64
// The forms without a mask make GCC 12 warn of what they leave uninitialized.
#define GSG_SIMD_WIDEN_HALF(x) \
  (Floats) _mm512_maskz_cvtph_ps(0xffff, (__m256i)(x))
#define GSG_SIMD_NARROW_HALF(x) \
  (Shorts) _mm512_maskz_cvtps_ph(0xffff, (__m512)(x), _MM_FROUND_TO_NEAREST_INT)
#include "gsg_core/internal/kernels-inl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif  // GSG_X86_KERNELS
