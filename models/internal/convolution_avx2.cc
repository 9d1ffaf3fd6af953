#include <cstdint>

#include "models/internal/convolution_kernels.h"

#if defined(__x86_64__)

// To the end of the file, where templates are instantiated.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define GSG_SIMD avx2
#define GSG_SIMD_NAME "avx2"
#define GSG_SIMD_BYTES 32
#include "models/internal/convolution_kernels-inl.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif  // __x86_64__
