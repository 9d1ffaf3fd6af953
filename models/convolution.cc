#include "models/convolution.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>

#include "ATen/Parallel.h"
#include "ATen/autocast_mode.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/constant_pad_nd.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/Device.h"
#include "c10/core/MemoryFormat.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "models/internal/convolution_kernels.h"
#include "models/internal/scratch.h"
#include "models/small_convolution.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/expanding_array.h"
#include "torch/nn/modules/conv.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

using internal::ConvolutionKernels;
using internal::ImagePanel;
using internal::kPanel;
using internal::kTileMultiple;
using internal::kWinogradEntries;
using internal::Scratch;
using internal::TilePanels;
using internal::WeightStride;

struct Shape {
  int64_t images, height, width, in, out;

  int64_t Pixels() const { return height * width; }
  int64_t TilesOfImage() const { return (height + 3) / 4 * ((width + 3) / 4); }
};

Shape ShapeOf(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

// The images are worked on in chunks whose transformed tiles stay in the cache.
// For each, one side of the product is transformed first, all its panels; then
// each panel of the other side is made with what is private to it. If there are
// fewer panels than threads, a chunk's images are dealt to several ranges.
class Plan {
 public:
  // shared, own: channels of the two sides.
  Plan(const Shape& shape, int64_t shared, int64_t own)
      : shape_(shape), shared_(shared) {
    // Tiles of one channel in a range: 36 entries of 128 KiB.
    constexpr int64_t kTiles = 1 << 15;
    const int64_t panels = std::min(shared, own) / kPanel;
    ranges_ = std::min<int64_t>(shape.images,
                                (at::get_num_threads() + panels - 1) / panels);
    const int64_t tiles = shape.TilesOfImage();
    images_ =
        std::clamp<int64_t>(kTiles / (tiles * std::max(shared, own) * ranges_),
                            1, (shape.images + ranges_ - 1) / ranges_);
    tiles_ =
        (images_ * tiles + kTileMultiple - 1) / kTileMultiple * kTileMultiple;
  }

  int64_t ranges() const { return ranges_; }

  struct Range {
    int64_t number;
    int64_t image, count;  // the first, and how many
  };

  // For each chunk: first(range, panel, tiles) for each panel of the shared
  // side, then second(range, panel, tiles, memory) for each of the `own`
  // channels. tiles: the range's, of all shared panels. memory: own_size
  // floats, the thread's.
  template <class First, class Second>
  void Run(int64_t own, int64_t own_size, const First& first,
           const Second& second) const {
    const int64_t shared_size =
        EntryStride(shared_ / kPanel) * kWinogradEntries;
    float* const shared =
        Scratch(ranges_ * shared_size + at::get_num_threads() * own_size);
    float* const private_memory = shared + ranges_ * shared_size;
    for (int64_t begin = 0; begin < shape_.images; begin += ranges_ * images_) {
      const auto for_each = [&](int64_t channels, const auto& work) {
        const int64_t panels = channels / kPanel;
        at::parallel_for(
            0, ranges_ * panels, 1, [&](int64_t item, int64_t end) {
              for (; item < end; ++item) {
                const int64_t range = item / panels;
                const int64_t image = begin + range * images_;
                const int64_t count = std::min(images_, shape_.images - image);
                if (count <= 0) continue;
                work(Range{range, image, count}, item % panels,
                     Tiles(shared + range * shared_size, shared_ / kPanel));
              }
            });
      };
      for_each(shared_, first);
      for_each(own, [&](const Range& range, int64_t panel,
                        const TilePanels<float>& tiles) {
        second(range, panel, tiles,
               private_memory + at::get_thread_num() * own_size);
      });
    }
  }

  // Of so many panels.
  TilePanels<float> Tiles(float* data, int64_t panels) const {
    return {data, EntryStride(panels), tiles_ * kPanel};
  }
  int64_t TileSize(int64_t panels) const {
    return kWinogradEntries * EntryStride(panels);
  }
  int64_t tiles() const { return tiles_; }

 private:
  // A line more than needed: at a power of two the 36 entries would meet in one
  // set of the cache.
  int64_t EntryStride(int64_t panels) const {
    return (panels * tiles_ + 1) * kPanel;
  }

  const Shape shape_;
  const int64_t shared_;
  int64_t ranges_;
  int64_t images_;  // of a range
  int64_t tiles_;   // of a range, in memory
};

template <class T>
ImagePanel<T> PanelOf(T* data, const Shape& shape, int64_t channels,
                      const Plan::Range& range, int64_t panel) {
  return {data + range.image * shape.Pixels() * channels + panel * kPanel,
          range.count, shape.height, shape.width, channels};
}

TilePanels<const float> Const(const TilePanels<float>& tiles) {
  return {tiles.data, tiles.entry_stride, tiles.panel_stride};
}

void Forward(const Shape& shape, const float* x, const float* weight,
             float* y) {
  const ConvolutionKernels& kernels =
      *internal::SupportedConvolutionKernels().front();
  const Plan plan(shape, shape.in, shape.out);
  const int64_t u_size = kWinogradEntries * WeightStride(shape.in);
  plan.Run(
      shape.out, u_size + plan.TileSize(1),
      [&](const Plan::Range& range, int64_t panel, TilePanels<float> v) {
        v.data += panel * v.panel_stride;
        kernels.transform_input(PanelOf(x, shape, shape.in, range, panel), v);
      },
      [&](const Plan::Range& range, int64_t panel, const TilePanels<float>& v,
          float* own) {
        kernels.transform_weight(weight + panel * kPanel * 9 * shape.in,
                                 shape.in, own);
        const TilePanels<float> m = plan.Tiles(own + u_size, 1);
        kernels.multiply(Const(v), own, shape.in, plan.tiles(), m);
        kernels.restore_output(Const(m),
                               PanelOf(y, shape, shape.out, range, panel));
      });
}

// Adds to dx and to dweight's as many parts as the plan has ranges; either may
// be null.
void Backward(const Plan& plan, const Shape& shape, const float* x,
              const float* weight, const float* dy, float* dx, float* dweight) {
  const ConvolutionKernels& kernels =
      *internal::SupportedConvolutionKernels().front();
  const int64_t u_size = kWinogradEntries * WeightStride(shape.out);
  plan.Run(
      shape.in, u_size + plan.TileSize(1),
      [&](const Plan::Range& range, int64_t panel, TilePanels<float> e) {
        e.data += panel * e.panel_stride;
        kernels.transform_output(PanelOf(dy, shape, shape.out, range, panel),
                                 e);
      },
      [&](const Plan::Range& range, int64_t panel, const TilePanels<float>& e,
          float* own) {
        const TilePanels<float> v = plan.Tiles(own + u_size, 1);
        if (dx != nullptr) {
          kernels.transform_weight_by_input(weight + panel * kPanel, shape.out,
                                            shape.in, own);
          kernels.multiply(Const(e), own, shape.out, plan.tiles(), v);
          kernels.restore_input(Const(v),
                                PanelOf(dx, shape, shape.in, range, panel));
        }
        if (dweight != nullptr) {
          kernels.transform_input(PanelOf(x, shape, shape.in, range, panel), v);
          kernels.multiply_tiles(Const(e), Const(v), shape.out,
                                 range.count * shape.TilesOfImage(), own);
          kernels.restore_weight_by_input(
              own, shape.out, shape.in,
              dweight + range.number * shape.out * 9 * shape.in +
                  panel * kPanel);
        }
      });
}

at::Tensor ChannelsLast(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

class Winograd : public torch::autograd::Function<Winograd> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input,
                            const at::Tensor& kernel) {
    const at::Tensor x = ChannelsLast(input), weight = ChannelsLast(kernel);
    ctx->save_for_backward({x, kernel});
    const Shape shape = ShapeOf(x, weight);
    at::Tensor y =
        at::empty({shape.images, shape.out, shape.height, shape.width},
                  x.options(), at::MemoryFormat::ChannelsLast);
    Forward(shape, x.const_data_ptr<float>(), weight.const_data_ptr<float>(),
            y.mutable_data_ptr<float>());
    return y;
  }

  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor weight = ChannelsLast(saved[1]);
    const at::Tensor dy = ChannelsLast(gradients[0]);
    const Shape shape = ShapeOf(x, weight);
    const Plan plan(shape, shape.out, shape.in);
    at::Tensor dx, dweight;
    if (ctx->needs_input_grad(0)) dx = at::zeros_like(x);
    if (ctx->needs_input_grad(1)) {
      dweight = at::zeros({plan.ranges(), shape.out, 3, 3, shape.in},
                          weight.options());
    }
    Backward(plan, shape, x.const_data_ptr<float>(),
             weight.const_data_ptr<float>(), dy.const_data_ptr<float>(),
             dx.defined() ? dx.mutable_data_ptr<float>() : nullptr,
             dweight.defined() ? dweight.mutable_data_ptr<float>() : nullptr);
    if (dweight.defined()) {
      dweight = plan.ranges() == 1 ? dweight[0] : dweight.sum(0);
      dweight = dweight.permute({0, 3, 1, 2});  // which is channels-last
    }
    return {dx, dweight};
  }
};

bool IsFloatOnCpu(const at::Tensor& tensor) {
  return tensor.device().is_cpu() && tensor.scalar_type() == c10::kFloat;
}

bool CanConvolve3x3(const at::Tensor& x, const at::Tensor& weight) {
  return IsFloatOnCpu(x) && IsFloatOnCpu(weight) && x.dim() == 4 &&
         weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
         x.size(1) == weight.size(1) && x.numel() > 0 &&
         weight.size(0) % kPanel == 0 && weight.size(1) % kPanel == 0;
}

bool Is(const torch::ExpandingArray<2>& setting, int64_t value) {
  return *setting == std::array<int64_t, 2>{value, value};
}

}  // namespace

bool WinogradPays(const at::Tensor& x, const at::Tensor& weight) {
  if (!CanConvolve3x3(x, weight)) return false;
  // Transforms pay for some channels, and weights' for many tiles; where tiles
  // overhang the image by more than its own size, as 2 x 2 of them do an image
  // of 5x5, too little is saved.
  const int64_t tiles = ShapeOf(x, weight).TilesOfImage();
  return weight.size(1) > kPanel && 2 * x.size(2) * x.size(3) >= 16 * tiles &&
         x.size(0) * tiles >= kTileMultiple;
}

at::Tensor Convolve3x3(const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK_VALUE(CanConvolve3x3(x, weight),
                    "Convolve3x3 takes float32 on the CPU, [N, I, H, W] and "
                    "[O, I, 3, 3], I and O multiples of ",
                    kPanel, "; got ", x.sizes(), " and ", weight.sizes(),
                    " of ", x.scalar_type(), " and ", weight.scalar_type());
  return Winograd::apply(x, weight);
}

at::Tensor ConvolvePadded(const at::Tensor& x, const at::Tensor& weight,
                          at::IntArrayRef stride, at::IntArrayRef padding,
                          at::IntArrayRef dilation) {
  const int64_t missing = kTensorCoreChannels - x.size(1) % kTensorCoreChannels;
  const int64_t behind[] = {0, 0, 0, 0, 0, missing};
  return at::conv2d(at::constant_pad_nd(x, behind),
                    at::constant_pad_nd(weight, behind), /*bias=*/{}, stride,
                    padding, dilation);
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
  const auto* padding =
      std::get_if<torch::ExpandingArray<2>>(&options.padding());
  if (x.is_cpu() && padding != nullptr && Is(options.dilation(), 1) &&
      options.groups() == 1 && !bias.defined()) {
    // What autocast would round is rounded here, and once.
    const bool autocast = at::autocast::is_autocast_enabled(at::kCPU);
    const auto cast = [&](const at::Tensor& tensor) {
      return autocast ? at::autocast::cached_cast(
                            at::autocast::get_autocast_dtype(at::kCPU), tensor,
                            c10::kCPU)
                      : tensor;
    };
    const at::Tensor input = cast(x), kernel = cast(weight);
    const ConvolutionShape shape{options.stride()->front(),
                                 (*padding)->front()};
    if (Is(options.stride(), shape.stride) && Is(*padding, shape.padding) &&
        ProductsPay(input, kernel, shape)) {
      return ConvolveSmall(input, kernel, shape);
    }
    if (Is(options.stride(), 1) && Is(*padding, 1) &&
        WinogradPays(input, kernel)) {
      return Convolve3x3(input, kernel);
    }
    return torch::nn::Conv2dImpl::forward(input);
  }
  if (x.is_cuda() && at::autocast::is_autocast_enabled(at::kCUDA) &&
      options.groups() == 1 && !bias.defined() && padding != nullptr &&
      weight.size(1) % kTensorCoreChannels != 0) {
    // What autocast would round is rounded before it grows.
    return ConvolvePadded(x.to(at::autocast::get_autocast_dtype(at::kCUDA)),
                          weight, options.stride(), *padding,
                          options.dilation());
  }
  return torch::nn::Conv2dImpl::forward(x);
}

}  // namespace gsg
