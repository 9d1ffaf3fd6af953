#include "models/internal/convolution_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace gsg::internal {
namespace {

using Values = std::vector<float>;

constexpr int64_t kEntries = kWinogradEntries;

struct Shape {
  int64_t images, height, width, in, out;
};

Values Random(int64_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> value(-1, 1);
  Values values(size);
  for (float& v : values) v = value(random);
  return values;
}

// Visits the products of the convolution: indices of x, weight and y.
template <class Visit>
void ForEachProduct(const Shape& s, const Visit& visit) {
  for (int64_t n = 0; n < s.images; ++n) {
    for (int64_t r = 0; r < s.height; ++r) {
      for (int64_t c = 0; c < s.width; ++c) {
        for (int64_t i = 0; i < 3; ++i) {
          for (int64_t j = 0; j < 3; ++j) {
            const int64_t row = r + i - 1, column = c + j - 1;
            if (row < 0 || row >= s.height) continue;
            if (column < 0 || column >= s.width) continue;
            for (int64_t o = 0; o < s.out; ++o) {
              for (int64_t k = 0; k < s.in; ++k) {
                visit(((n * s.height + row) * s.width + column) * s.in + k,
                      (o * 9 + i * 3 + j) * s.in + k,
                      ((n * s.height + r) * s.width + c) * s.out + o);
              }
            }
          }
        }
      }
    }
  }
}

// Transformed tiles of all panels, with NaN where nothing has been written.
struct Tiles {
  Tiles(int64_t channels, int64_t tiles)
      : memory((tiles + kTileMultiple - 1) / kTileMultiple * kTileMultiple),
        stride(channels * memory),
        values(kEntries * stride, std::numeric_limits<float>::quiet_NaN()) {}

  TilePanels<float> Panel(int64_t panel) {
    return {values.data() + panel * memory * kPanel, stride, memory * kPanel};
  }

  int64_t memory;  // tiles of a panel, with those that round their number up
  int64_t stride;
  Values values;
};

TilePanels<const float> Const(const TilePanels<float>& tiles) {
  return {tiles.data, tiles.entry_stride, tiles.panel_stride};
}

template <class T>
ImagePanel<T> Panel(T* data, const Shape& s, int64_t channels, int64_t panel) {
  return {data + panel * kPanel, s.images, s.height, s.width, channels};
}

// A tile's entries are sums of 36 products with factors of at most 5 * 5,
// twice; summed over some dozen channels or tiles, of values of at most 1.
void ExpectClose(const Values& got, const std::vector<double>& want,
                 const char* what) {
  double largest = 0;
  for (double value : want) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], 3e-5 * largest) << what << " " << i;
  }
}

void ExpectConvolution(const ConvolutionKernels& kernels, const Shape& s,
                       int64_t group) {
  const Values x = Random(s.images * s.height * s.width * s.in, 1);
  const Values w = Random(s.out * 9 * s.in, 2);
  const Values dy = Random(s.images * s.height * s.width * s.out, 3);
  std::vector<double> y_want(dy.size()), dx_want(x.size()), dw_want(w.size());
  ForEachProduct(s, [&](int64_t xi, int64_t wi, int64_t yi) {
    y_want[yi] += static_cast<double>(x[xi]) * w[wi];
    dx_want[xi] += static_cast<double>(dy[yi]) * w[wi];
    dw_want[wi] += static_cast<double>(dy[yi]) * x[xi];
  });

  const int64_t tiles = Panel(x.data(), s, s.in, 0).Tiles();
  Tiles v(s.in, tiles), e(s.out, tiles), m(s.out, tiles), dv(s.in, tiles);
  for (int64_t p = 0; p < s.in / kPanel; ++p) {
    kernels.transform_input(Panel(x.data(), s, s.in, p), v.Panel(p));
  }
  for (int64_t p = 0; p < s.out / kPanel; ++p) {
    kernels.transform_output(Panel(dy.data(), s, s.out, p), e.Panel(p));
  }

  // `group` panels at once; of the weights, a panel of the other side's
  // channels after the other.
  Values y(dy.size()), dx(x.size()), dw(w.size());
  // For the first it is written over what was there, for others added.
  std::fill_n(dw.begin(), kPanel * 9 * s.in, NAN);
  const int64_t stride = kEntries * WeightStride(kPanel);
  Values u(group * stride);
  const WeightPanels<float> weights{u.data(), stride};
  const WeightPanels<const float> ready{u.data(), stride};
  for (int64_t p = 0; p < s.out / kPanel; p += group) {
    const int64_t panels = std::min(group, s.out / kPanel - p);
    for (int64_t c = 0; c < s.in; c += kPanel) {
      for (int64_t k = 0; k < panels; ++k) {
        kernels.transform_weight(w.data() + (p + k) * kPanel * 9 * s.in + c,
                                 s.in, kPanel, u.data() + k * stride);
      }
      kernels.multiply(Const(v.Panel(c / kPanel)), ready, panels, kPanel,
                       v.memory, m.Panel(p), /*add=*/c > 0);
    }
    for (int64_t k = 0; k < panels; ++k) {
      kernels.restore_output(Const(m.Panel(p + k)),
                             Panel(y.data(), s, s.out, p + k));
    }
  }
  for (int64_t p = 0; p < s.in / kPanel; p += group) {
    const int64_t panels = std::min(group, s.in / kPanel - p);
    for (int64_t c = 0; c < s.out; c += kPanel) {
      const int64_t at = c * 9 * s.in + p * kPanel;
      kernels.transform_weight_by_input(w.data() + at, kPanel, s.in, panels,
                                        weights);
      kernels.multiply(Const(e.Panel(c / kPanel)), ready, panels, kPanel,
                       e.memory, dv.Panel(p), /*add=*/c > 0);
      kernels.multiply_tiles(Const(e.Panel(c / kPanel)), Const(v.Panel(p)),
                             panels, kPanel, tiles, weights);
      kernels.restore_weight_by_input(ready, kPanel, s.in, panels,
                                      dw.data() + at, /*add=*/c > 0);
    }
    for (int64_t k = 0; k < panels; ++k) {
      kernels.restore_input(Const(dv.Panel(p + k)),
                            Panel(dx.data(), s, s.in, p + k));
    }
  }
  ExpectClose(y, y_want, "y");
  ExpectClose(dx, dx_want, "dx");
  ExpectClose(dw, dw_want, "dw");
}

TEST(WinogradKernelsTest, EachInstructionSetConvolves) {
  for (const ConvolutionKernels* kernels : SupportedConvolutionKernels()) {
    SCOPED_TRACE(kernels->name);
    // Whole tiles; tiles cut at either side; an image smaller than a tile; more
    // tiles than kTileMultiple.
    for (const Shape& shape : {Shape{1, 4, 4, 16, 16}, Shape{2, 8, 4, 16, 32},
                               Shape{1, 5, 7, 32, 16}, Shape{2, 1, 3, 16, 16},
                               Shape{3, 11, 10, 32, 48}}) {
      SCOPED_TRACE(testing::Message() << shape.images << " of " << shape.height
                                      << "x" << shape.width);
      for (const int64_t group : {1, 2, 3}) {
        ExpectConvolution(*kernels, shape, group);
      }
    }
  }
}

TEST(ProductKernelsTest, EachInstructionSetMultiplies) {
  for (const ConvolutionKernels* kernels : SupportedConvolutionKernels()) {
    SCOPED_TRACE(kernels->name);
    const int64_t rows = kernels->product_rows;
    const int64_t columns = kernels->product_columns;
    ASSERT_LE(rows, kMostProductRows);
    ASSERT_LE(columns, kMostProductColumns);
    constexpr int64_t kDepth = 5, kTerms = 3;
    const Values a = Random(kTerms * kDepth * rows, 1);
    const Values b = Random(kTerms * kDepth * columns, 2);
    const int64_t stride = columns + 3;
    std::vector<double> want(rows * stride);
    for (int64_t k = 0; k < kTerms * kDepth; ++k) {
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          want[r * stride + c] +=
              static_cast<double>(a[k * rows + r]) * b[k * columns + c];
        }
      }
    }
    std::vector<ProductTerm> terms;
    for (int64_t t = 0; t < kTerms; ++t) {
      terms.push_back(
          {a.data() + t * kDepth * rows, b.data() + t * kDepth * columns});
    }
    Values got(rows * stride);  // Between the rows they stay zeros.
    kernels->sum_products(terms.data(), kTerms, kDepth, got.data(), stride);
    ExpectClose(got, want, "product");
    kernels->sum_products(terms.data(), 0, kDepth, got.data(), stride);
    ExpectClose(got, std::vector<double>(rows * stride), "empty sum");
  }
}

}  // namespace
}  // namespace gsg::internal
