// SPDX-License-Identifier: Apache-2.0

// The kernels, written with vector extensions (GCC and Clang) for registers of
// GSG_SIMD_BYTES. Each kernels_*.cc sets GSG_SIMD and GSG_SIMD_BYTES, turns its
// instruction set on and includes this file once. Nothing here may call a
// function shared with other files, whose code the linker could then take from
// the wrong instruction set: hence no standard library.
//
// No include guard: one inclusion per file, each with other macros.

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal::GSG_SIMD {
namespace {

// A register of R, and as many elements of 16 or 32 bits.
template <typename R>
struct Lanes {
  static constexpr int64_t kCount = GSG_SIMD_BYTES / sizeof(R);
  typedef R Vec __attribute__((vector_size(GSG_SIMD_BYTES)));
  typedef uint32_t Words __attribute__((vector_size(4 * kCount)));
  typedef uint16_t Shorts __attribute__((vector_size(2 * kCount)));
};

// A register of elements of T, in which sums are taken.
template <typename T>
using Vec = typename Lanes<Arithmetic<T>>::Vec;

// Of 16-bit elements.
using Words = Lanes<float>::Words;
using Shorts = Lanes<float>::Shorts;
using Floats = Lanes<float>::Vec;

// Conversions between stored elements, Shorts, and Floats. half.h says what
// they are, in the same steps.

template <typename T>
struct Convert;

template <>
struct Convert<BFloat16> {
  __attribute__((always_inline)) static Floats Widen(Shorts x) {
    return (Floats)(__builtin_convertvector(x, Words) << 16);
  }

  __attribute__((always_inline)) static Shorts Narrow(Floats x) {
    const Words all = (Words)x;
    const Words rounded = all + 0x7fff + (all >> 16 & 1);
    const Words chosen =
        (all & 0x7fffffff) > 0x7f800000 ? (all | 0x400000) : rounded;
    return __builtin_convertvector(chosen >> 16, Shorts);
  }
};

template <>
struct Convert<Half> {
#if defined(GSG_SIMD_WIDEN_HALF)  // instructions for it
  __attribute__((always_inline)) static Floats Widen(Shorts x) {
    return GSG_SIMD_WIDEN_HALF(x);
  }

  __attribute__((always_inline)) static Shorts Narrow(Floats x) {
    return GSG_SIMD_NARROW_HALF(x);
  }
#else
  __attribute__((always_inline)) static Floats Widen(Shorts x) {
    const Words all = __builtin_convertvector(x, Words);
    const Words magnitude = all & 0x7fff;
    const Words shifted = magnitude << 13;
    const Words normal = shifted + ((127 - 15) << 23);
    // 2^-14 + magnitude 2^-24, exactly, less 2^-14.
    const Floats small =
        (Floats)(shifted + (113 << 23)) - (Floats)(Words{} + (113 << 23));
    Words result = magnitude < 0x400 ? (Words)small : normal;
    result = magnitude >= 0x7c00 ? (shifted | 0x7f800000) : result;
    return (Floats)(result | (all & 0x8000) << 16);
  }

  __attribute__((always_inline)) static Shorts Narrow(Floats x) {
    const Words all = (Words)x;
    const Words magnitude = all & 0x7fffffff;
    const Floats half = Floats{} + 0.5f;
    const Words small = (Words)((Floats)magnitude + half) - (Words)half;
    const Words normal =
        (magnitude + (0xfff - ((127 - 15) << 23)) + (magnitude >> 13 & 1)) >>
        13;
    const Words none = {};
    Words result = magnitude < 0x38800000 ? small : normal;
    result = magnitude >= 0x47800000 ? none + 0x7c00 : result;
    result = magnitude > 0x7f800000 ? none + 0x7e00 : result;
    return __builtin_convertvector(result | (all >> 16 & 0x8000), Shorts);
  }
#endif
};

// The columns c, c + 1, ... of a row: one register of them, or the last `count`
// and zeros.
template <typename T>
struct Columns {
  int64_t c;
  int64_t count = Lanes<Arithmetic<T>>::kCount;

  __attribute__((always_inline)) Vec<T> operator()(const T* row) const {
    if constexpr (sizeof(T) == 2) {
      Shorts v = {};
      __builtin_memcpy(&v, row + c, count * sizeof(T));
      return Convert<T>::Widen(v);
    } else {
      Vec<T> v = {};
      __builtin_memcpy(&v, row + c, count * sizeof(T));
      return v;
    }
  }

  __attribute__((always_inline)) void Store(Vec<T> v, T* row) const {
    if constexpr (sizeof(T) == 2) {
      const Shorts narrow = Convert<T>::Narrow(v);
      __builtin_memcpy((void*)(row + c), &narrow, count * sizeof(T));
    } else {
      __builtin_memcpy(row + c, &v, count * sizeof(T));
    }
  }
};

// Into the second-level cache.
template <typename T>
__attribute__((always_inline)) inline void Prefetch(const T* row, int64_t c) {
  __builtin_prefetch(row + c, /*rw=*/0, /*locality=*/2);
}

// Each `...Terms` adds one register of columns to its kSums accumulators.

template <typename T>
struct SquaredDifferenceTerms {
  static constexpr int kSums = 4;
  const T* const* z;
  const T* const* next;

  __attribute__((always_inline)) void operator()(Columns<T> at,
                                                 Vec<T>* sums) const {
    const Vec<T> z11 = at(z[0]), z12 = at(z[1]), z21 = at(z[2]), z22 = at(z[3]);
    Prefetch(next[0], at.c);
    Prefetch(next[1], at.c);
    Prefetch(next[2], at.c);
    Prefetch(next[3], at.c);
    const Vec<T> d0 = z11 - z21, d1 = z11 - z22, d2 = z12 - z21, d3 = z12 - z22;
    sums[0] += d0 * d0;
    sums[1] += d1 * d1;
    sums[2] += d2 * d2;
    sums[3] += d3 * d3;
  }
};

template <typename T>
struct ProductTerms {
  static constexpr int kSums = 8;
  const T* const* z;
  const T* const* next;

  __attribute__((always_inline)) void operator()(Columns<T> at,
                                                 Vec<T>* sums) const {
    const Vec<T> z11 = at(z[0]), z12 = at(z[1]), z21 = at(z[2]), z22 = at(z[3]);
    Prefetch(next[0], at.c);
    Prefetch(next[1], at.c);
    Prefetch(next[2], at.c);
    Prefetch(next[3], at.c);
    sums[0] += z11 * z21;
    sums[1] += z11 * z22;
    sums[2] += z12 * z21;
    sums[3] += z12 * z22;
    sums[4] += z11 * z11;
    sums[5] += z12 * z12;
    sums[6] += z21 * z21;
    sums[7] += z22 * z22;
  }
};

template <typename T>
struct ViewTerms {
  static constexpr int kSums = 3;
  const T* p_row;
  const T* z_row;
  const T* next;

  __attribute__((always_inline)) void operator()(Columns<T> at,
                                                 Vec<T>* sums) const {
    const Vec<T> p = at(p_row), z = at(z_row);
    Prefetch(next, at.c);
    sums[0] += p * p;
    sums[1] += z * z;
    sums[2] += p * z;
  }
};

// f(0), ..., f(kCount - 1), each a constant where f is inlined: arrays that are
// indexed with it stay in registers.
template <int kCount>
struct Unrolled {
  template <typename F>
  __attribute__((always_inline)) static void Call(const F& f) {
    Unrolled<kCount - 1>::Call(f);
    f(kCount - 1);
  }
};
template <>
struct Unrolled<0> {
  template <typename F>
  static void Call(const F&) {}
};

// The sum of kCount lanes from kFirst on, in double and as a tree, whose
// additions need not wait for each other.
template <int kFirst, int kCount, typename V>
__attribute__((always_inline)) inline double SumOfLanes(const V& v) {
  if constexpr (kCount == 1) {
    return v[kFirst];
  } else {
    return SumOfLanes<kFirst, kCount / 2>(v) +
           SumOfLanes<kFirst + kCount / 2, kCount / 2>(v);
  }
}

// Two sets of accumulators where that many registers are free, so that the
// additions of one set need not wait for the last.
template <typename T, typename Terms>
__attribute__((always_inline)) inline void Sum(const Terms& terms, int64_t n,
                                               double* sums) {
  constexpr int kSums = Terms::kSums;
  constexpr int kSets = kSums <= 4 ? 2 : 1;
  constexpr int64_t kLanes = Lanes<Arithmetic<T>>::kCount;
  for (int k = 0; k < kSums; ++k) sums[k] = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = n - begin < kBlock ? n : begin + kBlock;
    Vec<T> partial[kSets * kSums];
    Unrolled<kSets * kSums>::Call([&](int k) __attribute__((always_inline)) {
      partial[k] = Vec<T>{};
    });
    int64_t c = begin;
    for (; c + kSets * kLanes <= end; c += kSets * kLanes) {
      Unrolled<kSets>::Call([&](int set) __attribute__((always_inline)) {
        terms(Columns<T>{c + set * kLanes}, partial + set * kSums);
      });
    }
    for (; c + kLanes <= end; c += kLanes) terms(Columns<T>{c}, partial);
    if (c < end) terms(Columns<T>{c, end - c}, partial);
    Unrolled<kSums>::Call([&](int k) __attribute__((always_inline)) {
      Vec<T> total = partial[k];
      if constexpr (kSets == 2) total += partial[kSums + k];
      sums[k] += SumOfLanes<0, kLanes>(total);
    });
  }
}

template <typename T>
void SquaredDifferences(const T* const z[4], const T* const next[4], int64_t n,
                        double sums[4]) {
  Sum<T>(SquaredDifferenceTerms<T>{z, next}, n, sums);
}

template <typename T>
void Products(const T* const z[4], const T* const next[4], int64_t n,
              double sums[8]) {
  Sum<T>(ProductTerms<T>{z, next}, n, sums);
}

template <typename T>
void ViewSums(const T* p, const T* z, const T* next, int64_t n,
              double sums[3]) {
  Sum<T>(ViewTerms<T>{p, z, next}, n, sums);
}

template <typename T>
void Combine(Arithmetic<T> a, const T* p, Arithmetic<T> b, const T* z,
             int64_t n, T* out) {
  constexpr int64_t kLanes = Lanes<Arithmetic<T>>::kCount;
  int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) {
    const Columns<T> at{c};
    at.Store(a * at(p) + b * at(z), out);
  }
  if constexpr (sizeof(T) == 2) {
    const Columns<T> rest{c, n - c};
    if (c < n) rest.Store(a * rest(p) + b * rest(z), out);
  } else {
    for (; c < n; ++c) out[c] = a * p[c] + b * z[c];
  }
}

template <typename T>
void Combine3(Arithmetic<T> a, const T* p, Arithmetic<T> b, const T* y,
              Arithmetic<T> c, const T* z, int64_t n, T* out) {
  constexpr int64_t kLanes = Lanes<Arithmetic<T>>::kCount;
  int64_t k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    const Columns<T> at{k};
    at.Store(a * at(p) + b * at(y) + c * at(z), out);
  }
  const Columns<T> rest{k, n - k};
  if (k < n) rest.Store(a * rest(p) + b * rest(y) + c * rest(z), out);
}

// Not a static variable of GetKernels, which would be one for the process.
template <typename T>
constexpr Kernels<T> kKernels = {&SquaredDifferences<T>, &Products<T>,
                                 &ViewSums<T>, &Combine<T>, &Combine3<T>};

}  // namespace

template <typename T>
const Kernels<T>& GetKernels() {
  return kKernels<T>;
}

template const Kernels<float>& GetKernels();
template const Kernels<double>& GetKernels();
template const Kernels<Half>& GetKernels();
template const Kernels<BFloat16>& GetKernels();

}  // namespace core_internal::GSG_SIMD
GSG_NAMESPACE_END
}  // namespace gsg
