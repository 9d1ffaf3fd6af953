// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_HOST_DEVICE_H_
#define GSG_GSG_CORE_HOST_DEVICE_H_

// Before a function that nvcc compiles for the GPU, too. Nothing for other
// compilers, and not needed where a function is constexpr
// (--expt-relaxed-constexpr, bazel/cuda.bzl).
#ifdef __CUDACC__
#define GSG_HOST_DEVICE __host__ __device__
#else
#define GSG_HOST_DEVICE
#endif

#endif  // GSG_GSG_CORE_HOST_DEVICE_H_
