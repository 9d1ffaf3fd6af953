// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_EIGEN_H_
#define GSG_GSG_CORE_EIGEN_H_

#include <type_traits>

#include "Eigen/Core"
#include "gsg_core/config.h"
#include "gsg_core/rows.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// The rows of a row-major Eigen matrix, Map, Ref or block of columns or rows,
// without a copy:
//
//   using Matrix =
//       Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
//   Matrix z(n, d);
//   gsg::Rows<float> rows = gsg::AsRows(z);                   // writable
//   gsg::Rows<const float> left = gsg::AsRows(z.leftCols(k));  // strided
//
// A const matrix gives Rows<const T>. Column-major matrices, expressions and
// temporaries that own their memory do not compile.
template <typename Matrix>
auto AsRows(Matrix&& matrix) {
  using Plain = std::remove_cv_t<std::remove_reference_t<Matrix>>;
  static_assert(Plain::IsRowMajor, "AsRows needs a row-major matrix");
  static_assert((Plain::Flags & Eigen::DirectAccessBit) != 0,
                "AsRows needs a matrix in memory, not an expression");
  static_assert(Plain::InnerStrideAtCompileTime == 1,
                "AsRows needs the elements of a row next to each other");
  static_assert(std::is_lvalue_reference_v<Matrix> ||
                    !std::is_base_of_v<Eigen::PlainObjectBase<Plain>, Plain>,
                "AsRows of a temporary matrix would dangle");
  using Scalar = std::remove_pointer_t<decltype(matrix.data())>;
  return Rows<Scalar>(matrix.data(), matrix.rows(), matrix.cols(),
                      matrix.outerStride());
}

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_EIGEN_H_
