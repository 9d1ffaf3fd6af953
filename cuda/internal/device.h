#ifndef GSG_CUDA_INTERNAL_DEVICE_H_
#define GSG_CUDA_INTERNAL_DEVICE_H_

#include <cstdint>
#include <cstring>

#include "gsg_core/half.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

// Kernels are written once, for the GPU and for a host that emulates a grid of
// threads (tests/cuda/host_block.h): functions that are marked GSG_DEVICE. What
// the two do differently is here and in device_block.h.
#ifdef __CUDACC__
#define GSG_DEVICE __device__ __forceinline__
#define GSG_DEVICE_CALL inline __device__ __noinline__  // kept apart
#define GSG_PRAGMA(text) _Pragma(#text)
#define GSG_UNROLL _Pragma("unroll")
#define GSG_UNROLL_BY(n) GSG_PRAGMA(unroll n)
#else
#define GSG_DEVICE inline
#define GSG_DEVICE_CALL inline
#define GSG_UNROLL
#define GSG_UNROLL_BY(n)
#endif

namespace gsg::cuda::internal {

GSG_DEVICE float ToFloat(float x) { return x; }
GSG_DEVICE float ToFloat(Half x) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(x.bits));
#else
  return x;
#endif
}
GSG_DEVICE float ToFloat(BFloat16 x) {
#ifdef __CUDA_ARCH__
  // Not by CUDA's function, which takes a 16-bit register: this is one
  // instruction on the word that the value is a half of.
  return __uint_as_float(static_cast<uint32_t>(x.bits) << 16);
#else
  return x;
#endif
}

// To the nearest T.
template <typename T>
GSG_DEVICE T FromFloat(float x);
template <>
GSG_DEVICE float FromFloat(float x) {
  return x;
}
template <>
GSG_DEVICE Half FromFloat(float x) {
#ifdef __CUDA_ARCH__
  Half half;
  half.bits = __half_as_ushort(__float2half_rn(x));
  return half;
#else
  return Half(x);
#endif
}
template <>
GSG_DEVICE BFloat16 FromFloat(float x) {
#ifdef __CUDA_ARCH__
  BFloat16 half;
  half.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x));
  return half;
#else
  return BFloat16(x);
#endif
}

// a b + c, on the GPU always rounded once: sums of the same numbers in the same
// order are the same wherever they are taken.
GSG_DEVICE float MultiplyAdd(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return a * b + c;
#endif
}
GSG_DEVICE double MultiplyAdd(double a, double b, double c) {
#ifdef __CUDA_ARCH__
  return __fma_rn(a, b, c);
#else
  return a * b + c;
#endif
}

// Elements that are read and written together, on a multiple of their size.
template <typename T, int kWidth>
struct alignas(sizeof(T) * kWidth) Pack {
  T element[kWidth];
};

// Memory that nothing writes while the kernel runs.
template <typename T, int kWidth>
GSG_DEVICE Pack<T, kWidth> LoadPack(const T* from) {
  Pack<T, kWidth> pack;
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(pack) == 16) {
    const uint4 bits = __ldg(reinterpret_cast<const uint4*>(from));
    memcpy(&pack, &bits, sizeof(pack));
  } else
#endif
  {
    GSG_UNROLL
    for (int e = 0; e < kWidth; ++e) pack.element[e] = from[e];
  }
  return pack;
}

// A Pack that was loaded, kept as it is until an element is asked for: nvcc
// gives each half of a Pack a register of its own as soon as it is loaded, or a
// place in local memory.
template <typename T, int kWidth>
class Group {
 public:
  GSG_DEVICE void Load(const T* from) {
    const Pack<T, kWidth> pack = LoadPack<T, kWidth>(from);
    if constexpr (sizeof(pack) < sizeof(words_)) words_[0] = 0;
    memcpy(words_, &pack, sizeof(pack));
  }
  GSG_DEVICE T operator[](int e) const {
    const uint32_t word = words_[e / kInWord] >> e % kInWord * 16;
    T value;
    memcpy(static_cast<void*>(&value), &word, sizeof(value));  // lower bytes
    return value;
  }

 private:
  static constexpr int kInWord = 4 / sizeof(T);
  uint32_t words_[(kWidth + kInWord - 1) / kInWord];
};

// `streaming`: there is so much of it that it should not push what is needed
// again out of the cache.
template <typename T, int kWidth>
GSG_DEVICE void StorePack(const Pack<T, kWidth>& pack,
                          [[maybe_unused]] bool streaming, T* to) {
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(pack) == 16) {
    uint4 bits;
    memcpy(&bits, &pack, sizeof(pack));
    if (streaming) {
      __stcs(reinterpret_cast<uint4*>(to), bits);
    } else {
      *reinterpret_cast<uint4*>(to) = bits;
    }
  } else
#endif
  {
    GSG_UNROLL
    for (int e = 0; e < kWidth; ++e) to[e] = pack.element[e];
  }
}

// *word |= bits, by any number of threads.
GSG_DEVICE void SetBits(uint32_t* word, uint32_t bits) {
#ifdef __CUDA_ARCH__
  atomicOr(word, bits);
#else
  *word |= bits;
#endif
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_DEVICE_H_
