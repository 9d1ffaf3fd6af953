#include "gsg_core/eigen.h"

#include <type_traits>

#include "Eigen/Core"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

TEST(AsRowsTest, Matrix) {
  Matrix m = Matrix::Random(3, 4);
  const Rows<float> rows = AsRows(m);
  EXPECT_EQ(rows.data(), m.data());
  EXPECT_EQ(rows.rows(), 3);
  EXPECT_EQ(rows.cols(), 4);
  EXPECT_EQ(rows.row_stride(), 4);
}

TEST(AsRowsTest, ConstMatrixGivesConstRows) {
  const Matrix m = Matrix::Random(3, 4);
  static_assert(std::is_same_v<decltype(AsRows(m)), Rows<const float>>);
  EXPECT_EQ(AsRows(m).row(2)[1], m(2, 1));
}

TEST(AsRowsTest, BlocksKeepTheStride) {
  Matrix m = Matrix::Random(5, 8);
  const Rows<float> block = AsRows(m.block(1, 2, 3, 4));
  EXPECT_EQ(block.rows(), 3);
  EXPECT_EQ(block.cols(), 4);
  EXPECT_EQ(block.row_stride(), 8);
  block.row(2)[3] = 7;
  EXPECT_EQ(m(3, 5), 7);
}

TEST(AsRowsTest, StridedMap) {
  const float data[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const Eigen::Map<const Matrix, 0, Eigen::OuterStride<>> map(
      data, 2, 3, Eigen::OuterStride<>(5));
  const Rows<const float> rows = AsRows(map);
  EXPECT_EQ(rows.row_stride(), 5);
  EXPECT_EQ(rows.row(1)[2], 7);
}

}  // namespace
}  // namespace gsg
