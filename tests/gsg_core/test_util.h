#ifndef GSG_TESTS_GSG_CORE_TEST_UTIL_H_
#define GSG_TESTS_GSG_CORE_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <random>
#include <vector>

#include "gsg_core/half.h"
#include "gsg_core/internal/kernels.h"
#include "gsg_core/rows.h"

namespace gsg {

// GSG_TEST_SEED, or 1; logged, so that a failure can be repeated.
inline uint64_t TestSeed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("GSG_TEST_SEED");
    const uint64_t value =
        text != nullptr ? std::strtoull(text, nullptr, 0) : 1;
    std::cerr << "GSG_TEST_SEED=" << value << "\n";
    return value;
  }();
  return seed;
}

// std::numeric_limits, which also knows the types of half.h: the distance from
// 1 to the next value, the smallest positive and the largest value.
template <typename T>
struct Limits {
  static constexpr double kEpsilon = std::numeric_limits<T>::epsilon();
  static constexpr double kDenormMin = std::numeric_limits<T>::denorm_min();
  static constexpr double kMax = std::numeric_limits<T>::max();
};
template <>
struct Limits<Half> {
  static constexpr double kEpsilon = 0x1p-10;
  static constexpr double kDenormMin = 0x1p-24;
  static constexpr double kMax = 65504;
};
template <>
struct Limits<BFloat16> {
  static constexpr double kEpsilon = 0x1p-7;
  static constexpr double kDenormMin = 0x1p-133;
  static constexpr double kMax = 0x1.fep127;
};

// Rows with `padding` NaNs after each.
template <typename T>
class Buffer {
 public:
  Buffer(int64_t rows, int64_t cols, int64_t padding = 0)
      : rows_(rows),
        cols_(cols),
        stride_(cols + padding),
        data_(rows * stride_,
              T(std::numeric_limits<Arithmetic<T>>::quiet_NaN())) {}

  // One row, unpadded.
  Buffer(std::initializer_list<T> values)
      : rows_(1), cols_(values.size()), stride_(cols_), data_(values) {}

  template <typename Generator, typename Distribution>
  Buffer& Fill(Generator& generator, Distribution distribution) {
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t c = 0; c < cols_; ++c) {
        (*this)(i, c) = static_cast<T>(distribution(generator));
      }
    }
    return *this;
  }

  T& operator()(int64_t i, int64_t c) { return data_[i * stride_ + c]; }
  T operator()(int64_t i, int64_t c) const { return data_[i * stride_ + c]; }

  Rows<T> rows() { return Rows<T>(data_.data(), rows_, cols_, stride_); }
  Rows<const T> rows() const {
    return Rows<const T>(data_.data(), rows_, cols_, stride_);
  }

  bool PaddingIsNan() const {
    for (int64_t i = 0; i < rows_; ++i) {
      for (int64_t c = cols_; c < stride_; ++c) {
        if (!std::isnan((*this)(i, c))) return false;
      }
    }
    return true;
  }

 private:
  int64_t rows_, cols_, stride_;
  std::vector<T> data_;
};

// Relative error of a sum of d products of Ts, by any of the kernels, in units
// of the sum of their magnitudes: a lane of the narrowest register adds at most
// kBlock / lanes terms, each with one rounding of the product and one of the
// addition, and the sum over lanes and blocks is in double.
template <typename T>
double SumError(int64_t d) {
  const int64_t lanes = 16 / sizeof(Arithmetic<T>);
  const int64_t terms = std::min<int64_t>(d, core_internal::kBlock) / lanes + 4;
  return static_cast<double>(terms + 1) * Limits<Arithmetic<T>>::kEpsilon;
}

// Error of a cosine: of its product, and half that of each squared norm.
template <typename T>
double CosineError(int64_t d) {
  return 2 * SumError<T>(d);
}

// Error of factor dD/dp, by element: of the cosine, of the coefficients (two
// sums each), of the last two products and addition, and of storing it in T.
// (No element of dD/dp is larger than 1 / ||p||.)
template <typename T>
double GradientError(int64_t d, double factor, double p_norm) {
  return std::abs(factor) / p_norm *
             (CosineError<T>(d) + 2 * SumError<T>(d) +
              4 * Limits<Arithmetic<T>>::kEpsilon + Limits<T>::kEpsilon) +
         Limits<T>::kDenormMin;
}

inline std::vector<core_internal::Simd> SupportedSimd() {
  std::vector<core_internal::Simd> all;
  for (core_internal::Simd simd :
       {core_internal::Simd::kBaseline, core_internal::Simd::kAvx2,
        core_internal::Simd::kAvx512}) {
    if (core_internal::Supports(simd)) all.push_back(simd);
  }
  return all;
}

}  // namespace gsg

#endif  // GSG_TESTS_GSG_CORE_TEST_UTIL_H_
