#include "models/small_convolution.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/MemoryFormat.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "models/internal/matrix_products.h"
#include "torch/csrc/autograd/custom_function.h"

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

// Calls f(output pixel, input pixel, tap) for all that meet.
template <class F>
void ForEachMeeting(const Sizes& s, const F& f) {
  ForEachRow(s, [&](int64_t out, int64_t in, int64_t tap, int64_t count) {
    for (int64_t i = 0; i < count; ++i) f(out, in + i, tap + i);
  });
}

using internal::Matrices;
using internal::Pairs;
using internal::Results;

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
  internal::SumProducts(Pixels(x), Pixels(weight), pairs, ResultsIn(y));
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
  internal::SumProducts(Pixels(dy), Transposed(Pixels(weight)), pairs,
                        ResultsIn(dx));
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
  internal::SumProducts(Transposed(Pixels(dy)), Transposed(Pixels(x)), pairs,
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
