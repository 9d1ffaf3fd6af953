// SPDX-License-Identifier: Apache-2.0

// Whatever the compiler targets by default: SSE2 on x86-64, NEON on AArch64.
#include <cstdint>

#include "gsg_core/half.h"
#include "gsg_core/internal/kernels_simd.h"

#define GSG_SIMD baseline
#define GSG_SIMD_BYTES 16
#include "gsg_core/internal/kernels-inl.h"
