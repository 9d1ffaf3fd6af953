// Sums of products of matrices on the CPU.

#ifndef GSG_MODELS_INTERNAL_MATRIX_PRODUCTS_H_
#define GSG_MODELS_INTERNAL_MATRIX_PRODUCTS_H_

#include <cstdint>
#include <vector>

#include "models/internal/convolution_kernels.h"

namespace gsg::internal {

// Matrices of one shape, `next` elements apart.
struct Matrices {
  MatrixView first;
  int64_t count, next;
};

// A matrix of each place of the result: rows and matrices that far apart.
struct Results {
  float* data;
  int64_t row, next;
};

// Which matrices make the sum of each place of a result.
struct Pair {
  int64_t a, b;
};
using Pairs = std::vector<std::vector<Pair>>;

// The result of each place is the sum of a[pair.a] b[pair.b]^T over its pairs:
// [a's rows, b's rows], of as many products as a and b have columns. All
// matrices of a and of b are packed once; blocks of the results are dealt to
// at::get_num_threads() threads, on whose number they do not depend.
void SumProducts(const Matrices& a, const Matrices& b, const Pairs& pairs,
                 const Results& results);

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_MATRIX_PRODUCTS_H_
