// Whatever the compiler targets by default: SSE2 on x86-64, NEON on AArch64.
#include <cstdint>

#include "models/internal/convolution_kernels.h"

#define GSG_SIMD baseline
#define GSG_SIMD_NAME "baseline"
#define GSG_SIMD_BYTES 16
#include "models/internal/convolution_kernels-inl.h"
