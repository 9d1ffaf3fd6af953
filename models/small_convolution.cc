#include "models/small_convolution.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/MemoryFormat.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "models/internal/convolution_kernels.h"
#include "models/internal/scratch.h"
#include "torch/csrc/autograd/custom_function.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

struct Sizes {
  Sizes(const at::Tensor& x, const at::Tensor& weight,
        const ConvolutionShape& shape)
      : images(x.size(0)),
        in(x.size(1)),
        height(x.size(2)),
        width(x.size(3)),
        out(weight.size(0)),
        kernel(weight.size(2)),
        stride(shape.stride),
        padding(shape.padding),
        out_height((height + 2 * padding - kernel) / stride + 1),
        out_width((width + 2 * padding - kernel) / stride + 1) {}

  const int64_t images, in, height, width, out, kernel, stride, padding;
  const int64_t out_height, out_width;
};

// In one dimension: the part of a kernel that lies within the image.
struct Span {
  int64_t tap;     // the first
  int64_t pixel;   // under it
  int64_t length;  // at least 1
};

Span SpanOf(int64_t output, int64_t size, const Sizes& s) {
  const int64_t begin = output * s.stride - s.padding;
  const int64_t tap = std::max<int64_t>(0, -begin);
  return {tap, begin + tap, std::min(s.kernel, size - begin) - tap};
}

// Calls f(output pixel, first input pixel, first tap, count) for each row of
// each kernel: neighboring taps on neighboring pixels.
template <class F>
void ForEachRow(const Sizes& s, const F& f) {
  for (int64_t y = 0; y < s.out_height; ++y) {
    const Span rows = SpanOf(y, s.height, s);
    for (int64_t x = 0; x < s.out_width; ++x) {
      const Span columns = SpanOf(x, s.width, s);
      for (int64_t r = 0; r < rows.length; ++r) {
        f(y * s.out_width + x, (rows.pixel + r) * s.width + columns.pixel,
          (rows.tap + r) * s.kernel + columns.tap, columns.length);
      }
    }
  }
}

at::Tensor ChannelsLast(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

// [N, C, H, W] in channels-last as the matrix [N, H W C] that it is in memory.
at::Tensor Matrix(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).view({x.size(0), x.numel() / x.size(0)});
}

// Which matrices make the sum of each place of a result.
struct Pair {
  int64_t a, b;
};
using Pairs = std::vector<std::vector<Pair>>;

// Calls f(output pixel, input pixel, tap) for all that meet.
template <class F>
void ForEachMeeting(const Sizes& s, const F& f) {
  ForEachRow(s, [&](int64_t out, int64_t in, int64_t tap, int64_t count) {
    for (int64_t i = 0; i < count; ++i) f(out, in + i, tap + i);
  });
}

using internal::MatrixView;
using internal::ProductTerm;

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

// The result of each place is the sum of a[pair.a] b[pair.b]^T over its pairs.
void SumProducts(const Matrices& a, const Matrices& b, const Pairs& pairs,
                 const Results& results) {
  const internal::ConvolutionKernels& kernels =
      *internal::SupportedConvolutionKernels().front();
  const int64_t rows = kernels.product_rows, columns = kernels.product_columns;
  const int64_t a_size = Packed::Size(a, rows);
  float* const memory = internal::Scratch(a_size + Packed::Size(b, columns));
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
    float whole[internal::kMostProductRows * internal::kMostProductColumns];
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

// The pixels of x, which is in channels-last, as matrices [N, C].
Matrices Pixels(const at::Tensor& x) {
  const int64_t pixels = x.size(2) * x.size(3), channels = x.size(1);
  return {
      {x.const_data_ptr<float>(), x.size(0), channels, pixels * channels, 1},
      pixels,
      channels};
}

Matrices Transposed(Matrices m) {
  std::swap(m.first.rows, m.first.columns);
  std::swap(m.first.row, m.first.column);
  return m;
}

Results ResultsIn(const at::Tensor& x) {
  return {x.mutable_data_ptr<float>(), x.numel() / x.size(0), x.size(1)};
}

at::Tensor ConvolveByProducts(const Sizes& s, const at::Tensor& x,
                              const at::Tensor& weight) {
  const at::Tensor y =
      at::empty({s.images, s.out_height, s.out_width, s.out}, x.options())
          .permute({0, 3, 1, 2});
  Pairs pairs(s.out_height * s.out_width);
  ForEachMeeting(s, [&](int64_t out, int64_t in, int64_t tap) {
    pairs[out].push_back({in, tap});
  });
  SumProducts(Pixels(x), Pixels(weight), pairs, ResultsIn(y));
  return y;
}

at::Tensor InputGradientByProducts(const Sizes& s, const at::Tensor& dy,
                                   const at::Tensor& x,
                                   const at::Tensor& weight) {
  const at::Tensor dx = at::empty_like(x);
  Pairs pairs(s.height * s.width);
  ForEachMeeting(s, [&](int64_t out, int64_t in, int64_t tap) {
    pairs[in].push_back({out, tap});
  });
  SumProducts(Pixels(dy), Transposed(Pixels(weight)), pairs, ResultsIn(dx));
  return dx;
}

at::Tensor WeightGradientByProducts(const Sizes& s, const at::Tensor& dy,
                                    const at::Tensor& x,
                                    const at::Tensor& weight) {
  const at::Tensor dweight = at::empty_like(weight);
  Pairs pairs(s.kernel * s.kernel);
  ForEachMeeting(s, [&](int64_t out, int64_t in, int64_t tap) {
    pairs[tap].push_back({out, in});
  });
  SumProducts(Transposed(Pixels(dy)), Transposed(Pixels(x)), pairs,
              ResultsIn(dweight));
  return dweight;
}

// In bfloat16 sums are products' own, so that each is rounded once: the pixels
// under each place of the kernel are copied together, [N H' W', K K I].
at::Tensor Patches(const Sizes& s, const at::Tensor& x) {
  const int64_t outputs = s.out_height * s.out_width;
  const int64_t patch = s.kernel * s.kernel * s.in;
  const at::Tensor patches = at::zeros({s.images, outputs, patch}, x.options());
  const at::Tensor from = Matrix(x);
  ForEachRow(s, [&](int64_t out, int64_t in, int64_t tap, int64_t count) {
    patches.select(1, out)
        .narrow(1, tap * s.in, count * s.in)
        .copy_(from.narrow(1, in * s.in, count * s.in));
  });
  return patches.view({s.images * outputs, patch});
}

// [N, O, H', W'] in channels-last as [N H' W', O].
at::Tensor Places(const at::Tensor& y) {
  return y.permute({0, 2, 3, 1}).view({-1, y.size(1)});
}

at::Tensor ConvolveByPatches(const Sizes& s, const at::Tensor& x,
                             const at::Tensor& weight) {
  return at::mm(Patches(s, x), Matrix(weight).t())
      .view({s.images, s.out_height, s.out_width, s.out})
      .permute({0, 3, 1, 2});
}

at::Tensor InputGradientByPatches(const Sizes& s, const at::Tensor& dy,
                                  const at::Tensor& x,
                                  const at::Tensor& weight) {
  const at::Tensor patches =
      at::mm(Places(dy), Matrix(weight))
          .view({s.images, s.out_height * s.out_width, -1});
  const at::Tensor dx = at::zeros_like(x, c10::kFloat);
  const at::Tensor to = Matrix(dx);
  ForEachRow(s, [&](int64_t out, int64_t in, int64_t tap, int64_t count) {
    to.narrow(1, in * s.in, count * s.in)
        .add_(patches.select(1, out).narrow(1, tap * s.in, count * s.in));
  });
  return dx.to(x.scalar_type());
}

at::Tensor WeightGradientByPatches(const Sizes& s, const at::Tensor& dy,
                                   const at::Tensor& x) {
  return at::mm(Places(dy).t(), Patches(s, x))
      .view({s.out, s.kernel, s.kernel, s.in})
      .permute({0, 3, 1, 2});
}

class SmallConvolution : public torch::autograd::Function<SmallConvolution> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input,
                            const at::Tensor& kernel,
                            const ConvolutionShape& shape) {
    const at::Tensor x = ChannelsLast(input), weight = ChannelsLast(kernel);
    ctx->save_for_backward({x, kernel});
    ctx->saved_data["stride"] = shape.stride;
    ctx->saved_data["padding"] = shape.padding;
    const Sizes s(x, weight, shape);
    return x.scalar_type() == c10::kBFloat16 ? ConvolveByPatches(s, x, weight)
                                             : ConvolveByProducts(s, x, weight);
  }

  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor weight = ChannelsLast(saved[1]);
    const at::Tensor dy = ChannelsLast(gradients[0]);
    const Sizes s(x, weight,
                  {ctx->saved_data["stride"].toInt(),
                   ctx->saved_data["padding"].toInt()});
    const bool by_patches = x.scalar_type() == c10::kBFloat16;
    at::Tensor dx, dweight;
    if (ctx->needs_input_grad(0)) {
      dx = by_patches ? InputGradientByPatches(s, dy, x, weight)
                      : InputGradientByProducts(s, dy, x, weight);
    }
    if (ctx->needs_input_grad(1)) {
      dweight = by_patches ? WeightGradientByPatches(s, dy, x)
                           : WeightGradientByProducts(s, dy, x, weight);
    }
    return {dx, dweight, at::Tensor()};
  }
};

bool CanConvolve(const at::Tensor& x, const at::Tensor& weight,
                 const ConvolutionShape& shape) {
  for (const at::Tensor* tensor : {&x, &weight}) {
    if (!tensor->device().is_cpu() || tensor->dim() != 4 ||
        (tensor->scalar_type() != c10::kFloat &&
         tensor->scalar_type() != c10::kBFloat16)) {
      return false;
    }
  }
  // Each place of the kernel meets the image.
  return x.scalar_type() == weight.scalar_type() &&
         weight.size(2) == weight.size(3) && x.size(1) == weight.size(1) &&
         x.numel() > 0 && weight.numel() > 0 && shape.stride > 0 &&
         shape.padding >= 0 && shape.padding < weight.size(2) &&
         std::min(x.size(2), x.size(3)) + 2 * shape.padding >= weight.size(2);
}

}  // namespace

bool ProductsPay(const at::Tensor& x, const at::Tensor& weight,
                 const ConvolutionShape& shape) {
  if (!CanConvolve(x, weight, shape)) return false;
  const Sizes s(x, weight, shape);
  // Without a stride Winograd's algorithm is faster with 16 pixels, in float32.
  const int64_t most = x.scalar_type() == c10::kBFloat16 ? 16
                       : s.stride > 1                    ? 25
                                                         : 9;
  return s.images >= 32 && s.in >= 32 && s.out >= 32 &&
         s.out_height * s.out_width <= most;
}

at::Tensor ConvolveSmall(const at::Tensor& x, const at::Tensor& weight,
                         const ConvolutionShape& shape) {
  TORCH_CHECK_VALUE(CanConvolve(x, weight, shape),
                    "ConvolveSmall takes float32 or bfloat16 on the CPU, "
                    "[N, I, H, W] and [O, I, K, K], K above the padding and at "
                    "most the padded image; got ",
                    x.sizes(), " and ", weight.sizes(), " of ", x.scalar_type(),
                    " and ", weight.scalar_type(), ", stride ", shape.stride,
                    ", padding ", shape.padding);
  return SmallConvolution::apply(x, weight, shape);
}

}  // namespace gsg
