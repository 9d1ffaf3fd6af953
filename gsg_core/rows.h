// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_ROWS_H_
#define GSG_GSG_CORE_ROWS_H_

#include <cstdint>
#include <type_traits>

#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// A view of a row-major matrix whose memory is the caller's: element (i, j) is
// data()[i * row_stride() + j]. The stride counts elements of T; elements
// between cols() and row_stride() are padding, never read or written. Nothing
// is checked here: functions that take Rows say what they reject.
template <typename T>
class Rows {
 public:
  constexpr Rows() = default;
  constexpr Rows(T* data, int64_t rows, int64_t cols)
      : Rows(data, rows, cols, cols) {}
  constexpr Rows(T* data, int64_t rows, int64_t cols, int64_t row_stride)
      : data_(data), rows_(rows), cols_(cols), row_stride_(row_stride) {}

  // Rows<float> passes where Rows<const float> is expected.
  template <typename U, typename = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr Rows(const Rows<U>& other)
      : Rows(other.data(), other.rows(), other.cols(), other.row_stride()) {}

  constexpr T* data() const { return data_; }
  constexpr int64_t rows() const { return rows_; }
  constexpr int64_t cols() const { return cols_; }
  constexpr int64_t row_stride() const { return row_stride_; }
  constexpr T* row(int64_t i) const { return data_ + i * row_stride_; }

 private:
  T* data_ = nullptr;
  int64_t rows_ = 0;
  int64_t cols_ = 0;
  int64_t row_stride_ = 0;
};

// What `Rows<T>` is as an input. Not deduced: of several arguments the first
// decides about T, and Rows<float> and Rows<const float> may be mixed.
template <typename T>
struct InputRowsOf {
  using Type = Rows<const std::remove_const_t<T>>;
};
template <typename T>
using InputRows = typename InputRowsOf<T>::Type;

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_ROWS_H_
