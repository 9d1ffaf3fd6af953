// Steps of convolutions, on raw pointers, for one instruction set each.
// models/convolution.cc and models/small_convolution.cc put them together.
//
// Winograd's algorithm for kernels of 3x3, F(4x4, 3x3) of Lavin and Gray, arXiv
// 1509.09308: an output of 4x4 pixels, a tile, needs an input of 6x6; with Y, D
// and W a tile's output, its input and the kernel,
//   Y = A^T [sum over input channels (G W G^T) * (B^T D B)] A,
// where * multiplies the 36 entries one by one: 36 products instead of 144. For
// each of the 36 it is a matrix product over channels. Both gradients are the
// transposed steps: with Y' the gradient of Y and E = A Y' A^T,
//   dD = B [(G W G^T) * E summed over output channels] B^T,
//   dW = G^T [(B^T D B) * E summed over tiles] G.

#ifndef GSG_MODELS_INTERNAL_CONVOLUTION_KERNELS_H_
#define GSG_MODELS_INTERNAL_CONVOLUTION_KERNELS_H_

#include <cstdint>
#include <vector>

namespace gsg::internal {

inline constexpr int64_t kWinogradEntries = 36;
// Channels go by panels of so many: a cache line.
inline constexpr int64_t kPanel = 16;
// The number of tiles of a panel in memory is a multiple of this, for the
// registers' sake.
inline constexpr int64_t kTileMultiple = 4;

// Between the entries of a panel of weights, [channels, kPanel] each: a line
// more than needed, since at a power of two all 36 would meet in one set of the
// cache.
constexpr int64_t WeightStride(int64_t channels) {
  return (channels + 1) * kPanel;
}

// Images [count, height, width, channels], of which `data` is one panel: it
// points to that panel's first channel.
template <typename T>
struct ImagePanel {
  T* data;
  int64_t count, height, width, channels;

  int64_t TilesDown() const { return (height + 3) / 4; }
  int64_t TilesAcross() const { return (width + 3) / 4; }
  int64_t Tiles() const { return count * TilesDown() * TilesAcross(); }
};

// Transformed tiles: entry e of channel c of tile t is
//   data[e * entry_stride + (c / kPanel) * panel_stride + t * kPanel + c %
//   kPanel].
template <typename T>
struct TilePanels {
  T* data;
  int64_t entry_stride, panel_stride;
};

// Transformed weights of some panels: [36][channels, kPanel] each, with
// WeightStride(channels).
template <typename T>
struct WeightPanels {
  T* data;
  int64_t panel_stride;
};

// A matrix in memory: element (r, c) is data[r * row + c * column], and one of
// the two strides is 1.
struct MatrixView {
  const float* data;
  int64_t rows, columns;
  int64_t row, column;
};

// Two matrices, packed for sum_products: [depth, rows] and [depth, columns].
struct ProductTerm {
  const float* a;
  const float* b;
};

struct ConvolutionKernels {
  const char* name;  // the instruction set

  // B^T D B of a panel; pixels beside the image are zero.
  void (*transform_input)(ImagePanel<const float> x, TilePanels<float> v);
  // Its transpose: adds B V B^T to x.
  void (*restore_input)(TilePanels<const float> v, ImagePanel<float> x);
  // A^T M A of a panel, without the pixels beside the image.
  void (*restore_output)(TilePanels<const float> m, ImagePanel<float> y);
  // Its transpose, A Y A^T.
  void (*transform_output)(ImagePanel<const float> y, TilePanels<float> m);

  // G W G^T for a panel of output channels and `channels` input channels of
  // `in`: u is [36][channels, kPanel] with WeightStride(channels). w points
  // into [kPanel, 3, 3, in] at the first of the channels.
  void (*transform_weight)(const float* w, int64_t in, int64_t channels,
                           float* u);
  // The same for panels of input channels and `out` output channels: u is
  // [36][out, kPanel] for each panel with WeightStride(out). w points into
  // [out, 3, 3, in] at the first panel.
  void (*transform_weight_by_input)(const float* w, int64_t out, int64_t in,
                                    int64_t panels, WeightPanels<float> u);
  // Its transpose: adds G^T U G to w, or puts it there.
  void (*restore_weight_by_input)(WeightPanels<const float> u, int64_t out,
                                  int64_t in, int64_t panels, float* w,
                                  bool add);

  // For each entry and tile of each of m's `panels`: m = sum over a's channels
  // of a u, added to m or in place of it. Channels are a multiple of kPanel,
  // tiles one of kTileMultiple.
  void (*multiply)(TilePanels<const float> a, WeightPanels<const float> u,
                   int64_t panels, int64_t channels, int64_t tiles,
                   TilePanels<float> m, bool add);
  // For each entry and channel c of a: u[c] = sum over tiles of a[c] v, for
  // each of v's and u's `panels`. Any number of tiles.
  void (*multiply_tiles)(TilePanels<const float> a, TilePanels<const float> v,
                         int64_t panels, int64_t channels, int64_t tiles,
                         WeightPanels<float> u);
  // So many panels at once take the least time.
  int64_t panels_at_once;

  // A block of a product of matrices: out[r * stride + c] = sum over terms and
  // k < depth of a[k * product_rows + r] b[k * product_columns + c], for all r
  // < product_rows and c < product_columns.
  int64_t product_rows, product_columns;
  // Packs up to so many rows of a matrix, for an a or a b: to[c * product_rows
  // + r], or product_columns; what rows there are not are zeros.
  void (*pack_a)(const MatrixView& from, float* to);
  void (*pack_b)(const MatrixView& from, float* to);
  void (*sum_products)(const ProductTerm* terms, int64_t count, int64_t depth,
                       float* out, int64_t stride);
};

// What those rows and columns are at most.
inline constexpr int64_t kMostProductRows = 12, kMostProductColumns = 32;

// Those that this processor can run, the fastest first. Never empty.
const std::vector<const ConvolutionKernels*>& SupportedConvolutionKernels();

namespace baseline {
extern const ConvolutionKernels kConvolutionKernels;
}
#if defined(__x86_64__)
namespace avx2 {  // and FMA
extern const ConvolutionKernels kConvolutionKernels;
}
namespace avx512 {
extern const ConvolutionKernels kConvolutionKernels;
}
#endif

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_CONVOLUTION_KERNELS_H_
