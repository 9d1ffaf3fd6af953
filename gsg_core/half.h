// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_HALF_H_
#define GSG_GSG_CORE_HALF_H_

#include <cstdint>
#include <type_traits>

#include "gsg_core/config.h"
#include "gsg_core/internal/bits.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Two formats of 16 bits, in which matrices may be stored and no arithmetic is
// done: they convert to float exactly, and from float to the nearest value,
// ties to even, beyond the range to infinity. Half and BFloat16 have the layout
// of c10::Half, c10::BFloat16, __half and __nv_bfloat16: a pointer to one may
// be cast to a pointer to the other.

// IEEE 754 binary16: 11 significant bits, 6.0e-8 (2^-24) to 65504.
struct GSG_EXPORT Half {
  Half() = default;
  explicit Half(float value);
  operator float() const;

  uint16_t bits = 0;
};

// The upper half of a float: 8 significant bits, float's range.
struct GSG_EXPORT BFloat16 {
  BFloat16() = default;
  explicit BFloat16(float value);
  operator float() const;

  uint16_t bits = 0;
};

// What sums over elements of T are taken in.
template <typename T>
struct ArithmeticOf {
  using Type = T;
};
template <>
struct ArithmeticOf<Half> {
  using Type = float;
};
template <>
struct ArithmeticOf<BFloat16> {
  using Type = float;
};
template <typename T>
using Arithmetic = typename ArithmeticOf<T>::Type;

// Whether the library has functions for matrices of T.
template <typename T>
inline constexpr bool kIsElement =
    std::is_same_v<T, float> || std::is_same_v<T, double> ||
    std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
#define GSG_STATIC_ASSERT_ELEMENT(T)                                 \
  static_assert(::gsg::kIsElement<T>,                                \
                "gsg_core has matrices of float, double, gsg::Half " \
                "(IEEE 754 binary16) and gsg::BFloat16")

inline Half::operator float() const {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00) {  // infinity, NaN
    return core_internal::FloatOf(sign | 0x7f800000 |
                                  (magnitude & 0x3ff) << 13);
  }
  if (magnitude < 0x400) {  // zero, denormals: multiples of 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return core_internal::FloatOf(sign |
                                ((magnitude << 13) + ((127 - 15) << 23)));
}

inline Half::Half(float value) {
  const uint32_t all = core_internal::BitsOf(value);
  const uint32_t sign = all >> 16 & 0x8000;
  uint32_t magnitude = all & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    magnitude = 0x7e00;  // NaN
  } else if (magnitude >= 0x47800000) {
    magnitude = 0x7c00;  // 65536 and more
  } else if (magnitude < 0x38800000) {
    // Below 2^-14 values are multiples of 2^-24, which is what floats from 0.5
    // to 1 are: the addition rounds.
    magnitude =
        core_internal::BitsOf(core_internal::FloatOf(magnitude) + 0.5f) -
        core_internal::BitsOf(0.5f);
  } else {
    magnitude += 0xfff + (magnitude >> 13 & 1);
    magnitude = (magnitude - ((127 - 15) << 23)) >> 13;
  }
  bits = static_cast<uint16_t>(sign | magnitude);
}

inline BFloat16::operator float() const {
  return core_internal::FloatOf(uint32_t{bits} << 16);
}

inline BFloat16::BFloat16(float value) {
  const uint32_t all = core_internal::BitsOf(value);
  const bool nan = (all & 0x7fffffff) > 0x7f800000;
  const uint32_t rounded =
      nan ? all | 0x400000 : all + 0x7fff + (all >> 16 & 1);
  bits = static_cast<uint16_t>(rounded >> 16);
}

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_HALF_H_
