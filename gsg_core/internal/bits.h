// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_BITS_H_
#define GSG_GSG_CORE_INTERNAL_BITS_H_

#include <cstdint>
#include <cstring>

#include "gsg_core/config.h"
#include "gsg_core/host_device.h"

// Questions about floating-point numbers, asked of their bits. A compiler that
// is told -ffast-math takes it that there are no NaN and no infinities, and
// drops std::isfinite, comparisons that are there for NaN, and the errors that
// they lead to; integers it leaves alone.
namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

GSG_HOST_DEVICE inline uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

GSG_HOST_DEVICE inline uint64_t BitsOf(double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

GSG_HOST_DEVICE inline float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

GSG_HOST_DEVICE inline bool IsFinite(float value) {
  return (BitsOf(value) & 0x7f800000u) != 0x7f800000u;
}

GSG_HOST_DEVICE inline bool IsFinite(double value) {
  constexpr uint64_t kExponent = 0x7ff0000000000000u;
  return (BitsOf(value) & kExponent) != kExponent;
}

// low <= value < high, where 0 < low: numbers above 0 are ordered as their bits
// are, and NaN and numbers below 0 have bits beyond those.
GSG_HOST_DEVICE inline bool IsBetween(double low, double value, double high) {
  const uint64_t bits = BitsOf(value);
  return bits >= BitsOf(low) && bits < BitsOf(high);
}

// Above 0, not infinite, not NaN.
GSG_HOST_DEVICE inline bool IsPositive(double value) {
  const uint64_t bits = BitsOf(value);
  return bits != 0 && bits < 0x7ff0000000000000u;
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_BITS_H_
