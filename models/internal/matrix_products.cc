#include "models/internal/matrix_products.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ATen/Parallel.h"
#include "models/internal/convolution_kernels.h"
#include "models/internal/scratch.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg::internal {
namespace {

// The rows of matrices in blocks: [block][matrix][column][rows of the block],
// the last filled up with zeros.
class Packed {
 public:
  using Pack = void (*)(const MatrixView&, float*);

  Packed(const Matrices& from, int64_t rows, Pack pack, float* to)
      : from_(from), rows_(rows), pack_(pack), to_(to) {}

  static int64_t Blocks(const Matrices& from, int64_t rows) {
    return (from.first.rows + rows - 1) / rows;
  }
  static int64_t Size(const Matrices& from, int64_t rows) {
    return Blocks(from, rows) * rows * from.count * from.first.columns;
  }

  int64_t blocks() const { return Blocks(from_, rows_); }
  int64_t parts() const { return blocks() * from_.count; }
  int64_t RowsOf(int64_t block) const {
    return std::min(rows_, from_.first.rows - block * rows_);
  }
  float* At(int64_t block, int64_t matrix) const {
    return to_ + (block * from_.count + matrix) * from_.first.columns * rows_;
  }

  void PackPart(int64_t part) const {
    const int64_t block = part / from_.count, matrix = part % from_.count;
    MatrixView view = from_.first;
    view.data += matrix * from_.next + block * rows_ * view.row;
    view.rows = RowsOf(block);
    pack_(view, At(block, matrix));
  }

 private:
  const Matrices from_;
  const int64_t rows_;
  const Pack pack_;
  float* const to_;
};

}  // namespace

void SumProducts(const Matrices& a, const Matrices& b, const Pairs& pairs,
                 const Results& results) {
  const ConvolutionKernels& kernels = *SupportedConvolutionKernels().front();
  const int64_t rows = kernels.product_rows, columns = kernels.product_columns;
  const int64_t a_size = Packed::Size(a, rows);
  float* const memory = Scratch(a_size + Packed::Size(b, columns));
  const Packed left(a, rows, kernels.pack_a, memory);
  const Packed right(b, columns, kernels.pack_b, memory + a_size);
  const int64_t parts = left.parts() + right.parts();
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (i < left.parts()) {
        left.PackPart(i);
      } else {
        right.PackPart(i - left.parts());
      }
    }
  });
  // Neighbors share the block of b, which is the larger one.
  const int64_t blocks = left.blocks() * right.blocks();
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    std::vector<ProductTerm> terms;
    float whole[kMostProductRows * kMostProductColumns];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t x = i % left.blocks(), y = i / left.blocks();
      const bool fits = left.RowsOf(x) == rows && right.RowsOf(y) == columns;
      for (size_t place = 0; place < pairs.size(); ++place) {
        terms.clear();
        for (const Pair& pair : pairs[place]) {
          terms.push_back({left.At(x, pair.a), right.At(y, pair.b)});
        }
        float* const to = results.data + place * results.next +
                          x * rows * results.row + y * columns;
        kernels.sum_products(terms.data(), terms.size(), a.first.columns,
                             fits ? to : whole, fits ? results.row : columns);
        if (fits) continue;
        for (int64_t r = 0; r < left.RowsOf(x); ++r) {
          std::copy_n(whole + r * columns, right.RowsOf(y),
                      to + r * results.row);
        }
      }
    }
  });
}

}  // namespace gsg::internal
