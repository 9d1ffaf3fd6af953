// The 16-bit formats: every value, every rounding boundary, and the kernels'
// conversions, which must be the same bit for bit.
#include "gsg_core/half.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gsg_core/internal/kernels.h"
#include "gtest/gtest.h"
#include "tests/gsg_core/test_util.h"

namespace gsg {
namespace {

constexpr uint16_t kSign = 0x8000;

template <typename T>
T FromBits(uint16_t bits) {
  T value;
  value.bits = bits;
  return value;
}

// Exponent bits, fraction bits and exponent bias of a format.
template <typename T>
struct Layout;
template <>
struct Layout<Half> {
  static constexpr int kFraction = 10, kBias = 15, kInfinity = 0x7c00;
};
template <>
struct Layout<BFloat16> {
  static constexpr int kFraction = 7, kBias = 127, kInfinity = 0x7f80;
};

// What IEEE 754 says that the bits of a non-negative finite value stand for.
template <typename T>
double ValueOf(uint16_t bits) {
  using L = Layout<T>;
  const int exponent = bits >> L::kFraction;
  const int fraction = bits & ((1 << L::kFraction) - 1);
  const int leading = exponent > 0 ? 1 << L::kFraction : 0;
  return std::ldexp(leading + fraction,
                    (exponent > 0 ? exponent : 1) - L::kBias - L::kFraction);
}

template <typename T>
class HalfTest : public testing::Test {};
using Formats = testing::Types<Half, BFloat16>;
TYPED_TEST_SUITE(HalfTest, Formats);

TYPED_TEST(HalfTest, EveryFiniteValue) {
  using T = TypeParam;
  for (uint16_t bits = 0; bits < Layout<T>::kInfinity; ++bits) {
    const double value = ValueOf<T>(bits);
    ASSERT_EQ(FromBits<T>(bits), value) << bits;
    ASSERT_EQ(FromBits<T>(bits | kSign), -value) << bits;
    ASSERT_EQ(T(static_cast<float>(value)).bits, bits);
    ASSERT_EQ(T(static_cast<float>(-value)).bits, bits | kSign);
  }
}

TYPED_TEST(HalfTest, RoundsToNearestEven) {
  using T = TypeParam;
  for (uint16_t bits = 0; bits < Layout<T>::kInfinity; ++bits) {
    // The value above the largest is infinity, where 2^(max + 1) would be.
    const float middle =
        static_cast<float>(ValueOf<T>(bits) / 2 + ValueOf<T>(bits + 1) / 2);
    const uint16_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(T(middle).bits, even) << bits;
    ASSERT_EQ(T(-middle).bits, even | kSign) << bits;
    ASSERT_EQ(T(std::nextafter(middle, 0.f)).bits, bits) << bits;
    ASSERT_EQ(T(std::nextafter(middle, INFINITY)).bits, bits + 1) << bits;
  }
}

TYPED_TEST(HalfTest, InfinityAndNan) {
  using T = TypeParam;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(T(kInfinity).bits, Layout<T>::kInfinity);
  EXPECT_EQ(T(-kInfinity).bits, Layout<T>::kInfinity | kSign);
  EXPECT_EQ(static_cast<float>(T(kInfinity)), kInfinity);
  // A NaN's payload may have all its bits below those that are kept.
  for (const uint32_t nan : {0x7fc00000u, 0x7f800001u, 0xff800001u}) {
    EXPECT_TRUE(std::isnan(T(core_internal::FloatOf(nan)))) << nan;
  }
  EXPECT_TRUE(std::isnan(FromBits<T>(Layout<T>::kInfinity + 1)));
}

// out = a p + 0 z reads and writes every value; a = 1 must give it back.
TYPED_TEST(HalfTest, KernelsConvertAlike) {
  using T = TypeParam;
  constexpr int kValues = 1 << 16;
  std::vector<T> p, out(kValues);
  for (int bits = 0; bits < kValues; ++bits) p.push_back(FromBits<T>(bits));
  const std::vector<T> zeros(kValues, T(-0.f));
  for (core_internal::Simd simd : SupportedSimd()) {
    SCOPED_TRACE(testing::Message() << "simd " << static_cast<int>(simd));
    const core_internal::ForceSimd force(simd);
    const core_internal::Kernels<T>& kernels =
        core_internal::CurrentKernels<T>();
    // 1/3 rounds everywhere; 3000 overflows; 2^-15 makes denormals of Half.
    for (const float a : {1.f, 1 / 3.f, 3000.f, 0x1p-15f, 1.7e-3f, 1e37f}) {
      for (const int64_t n : {kValues, kValues - 3}) {
        out.assign(kValues, T(7.f));
        kernels.combine(a, p.data(), 0, zeros.data(), n, out.data());
        for (int64_t c = 0; c < kValues; ++c) {
          const T expected = c < n ? T(a * p[c]) : T(7.f);
          if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(out[c])) << c;
          } else {
            ASSERT_EQ(out[c].bits, expected.bits) << c << " times " << a;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace gsg
