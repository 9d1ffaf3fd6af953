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
using internal::WeightPanels;
using internal::WeightStride;

struct Shape {
  int64_t images, height, width, in, out;

  int64_t Pixels() const { return height * width; }
  int64_t TilesOfImage() const { return (height + 3) / 4 * ((width + 3) / 4); }
};

Shape ShapeOf(const at::Tensor& x, const at::Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

// Channels of the shared side whose weights are transformed at once, and tiles
// that are worked on at once: what becomes of them stays in the cache of a
// core.
constexpr int64_t kChannelChunk = 128;
constexpr int64_t kTileChunk = 128;

// The images are worked on in chunks. For each, one side of the product is
// transformed first, all its panels; then panels of the other side are made, a
// group of them at a time. With few channels the threads have images of their
// own. With more of them, whose transformed tiles and weights would not stay in
// the cache of a core, the threads share a chunk, and deal the panels, then the
// groups to each other; if there are fewer of these than threads, the chunk's
// images, too. A range is what a thread, or threads together, work on.
class Plan {
 public:
  // shared, own: channels of the two sides.
  Plan(const Shape& shape, int64_t shared, int64_t own)
      : shape_(shape),
        shared_panels_(shared / kPanel),
        own_panels_(own / kPanel),
        group_(std::min(Kernels().panels_at_once, own_panels_)),
        channels_(std::min(shared, kChannelChunk)),
        alone_(std::max(shared, own) <= 64 &&
               shape.images >= at::get_num_threads()) {
    const int64_t items = std::min(shared_panels_, Groups());
    ranges_ =
        alone_ ? at::get_num_threads()
               : std::min<int64_t>(shape.images,
                                   (at::get_num_threads() + items - 1) / items);
    images_of_range_ = (shape.images + ranges_ - 1) / ranges_;
    const int64_t tiles = shape.TilesOfImage();
    images_ = std::clamp<int64_t>(kTileChunk / tiles, 1, images_of_range_);
    tiles_ =
        (images_ * tiles + kTileMultiple - 1) / kTileMultiple * kTileMultiple;
  }

  static const ConvolutionKernels& Kernels() {
    return *internal::SupportedConvolutionKernels().front();
  }

  int64_t ranges() const { return ranges_; }
  int64_t tiles() const { return tiles_; }

  // Of a chunk.
  struct Range {
    int64_t number;
    int64_t image, count;  // the first, and how many
  };

  // Panels of the own side, and a thread's memory for them.
  struct Group {
    int64_t first, panels;
    WeightPanels<float> weights;  // of kChannelChunk channels at most
    TilePanels<float> tiles;
  };

  // For each chunk: first(range, panel, tiles) for each panel of the shared
  // side, then second(range, group, tiles) for all panels of the other. tiles:
  // the range's, of all shared panels.
  template <class First, class Second>
  void Run(const First& first, const Second& second) const {
    const int64_t shared_size = TileSize(shared_panels_);
    const int64_t weight_stride = kWinogradEntries * WeightStride(channels_);
    const int64_t own_size = group_ * weight_stride + TileSize(group_);
    float* const shared =
        Scratch(ranges_ * shared_size + at::get_num_threads() * own_size);
    float* const own = shared + ranges_ * shared_size;
    // Of range `number` the chunk that begins `offset` images behind its start.
    const auto chunk = [&](int64_t number, int64_t offset) {
      const int64_t image = number * images_of_range_ + offset;
      const int64_t end =
          std::min((number + 1) * images_of_range_, shape_.images);
      return Range{number, image, std::min(images_, end - image)};
    };
    const auto do_first = [&](const Range& range, int64_t panel) {
      first(range, panel,
            Tiles(shared + range.number * shared_size, shared_panels_));
    };
    const auto do_second = [&](const Range& range, int64_t item) {
      float* const memory = own + at::get_thread_num() * own_size;
      const int64_t panel = item * group_;
      second(range,
             Group{panel,
                   std::min(group_, own_panels_ - panel),
                   {memory, weight_stride},
                   Tiles(memory + group_ * weight_stride, group_)},
             Tiles(shared + range.number * shared_size, shared_panels_));
    };
    if (alone_) {
      at::parallel_for(0, ranges_, 1, [&](int64_t number, int64_t end) {
        for (; number < end; ++number) {
          for (int64_t i = 0; i < images_of_range_; i += images_) {
            const Range range = chunk(number, i);
            if (range.count <= 0) break;
            for (int64_t p = 0; p < shared_panels_; ++p) do_first(range, p);
            for (int64_t g = 0; g < Groups(); ++g) do_second(range, g);
          }
        }
      });
      return;
    }
    for (int64_t i = 0; i < images_of_range_; i += images_) {
      const auto for_each = [&](int64_t items, const auto& work) {
        at::parallel_for(0, ranges_ * items, 1, [&](int64_t item, int64_t end) {
          for (; item < end; ++item) {
            const Range range = chunk(item / items, i);
            if (range.count > 0) work(range, item % items);
          }
        });
      };
      for_each(shared_panels_, do_first);
      for_each(Groups(), do_second);
    }
  }

  // Calls work(first channel, channels) for chunks of the shared side.
  template <class Work>
  void ForEachChunk(const Work& work) const {
    for (int64_t c = 0; c < shared_panels_ * kPanel; c += channels_) {
      work(c, std::min(channels_, shared_panels_ * kPanel - c));
    }
  }

 private:
  int64_t Groups() const { return (own_panels_ + group_ - 1) / group_; }

  // A line more than needed: at a power of two the panels, or the 36 entries,
  // would meet in one set of the cache.
  int64_t PanelStride() const { return (tiles_ + 1) * kPanel; }
  int64_t EntryStride(int64_t panels) const {
    return panels * PanelStride() + kPanel;
  }
  int64_t TileSize(int64_t panels) const {
    return kWinogradEntries * EntryStride(panels);
  }
  TilePanels<float> Tiles(float* data, int64_t panels) const {
    return {data, EntryStride(panels), PanelStride()};
  }

  const Shape shape_;
  const int64_t shared_panels_, own_panels_;
  const int64_t group_;     // panels, but for the last
  const int64_t channels_;  // of a chunk, but for the last
  const bool alone_;        // does a thread have images of its own?
  int64_t ranges_;
  int64_t images_of_range_;
  int64_t images_;  // of a chunk of a range
  int64_t tiles_;   // of a chunk of a range, in memory
};

template <class T>
ImagePanel<T> PanelOf(T* data, const Shape& shape, int64_t channels,
                      const Plan::Range& range, int64_t panel) {
  return {data + range.image * shape.Pixels() * channels + panel * kPanel,
          range.count, shape.height, shape.width, channels};
}

// From that panel on.
TilePanels<float> From(TilePanels<float> tiles, int64_t panel) {
  tiles.data += panel * tiles.panel_stride;
  return tiles;
}

TilePanels<const float> Const(const TilePanels<float>& tiles) {
  return {tiles.data, tiles.entry_stride, tiles.panel_stride};
}
WeightPanels<const float> Const(const WeightPanels<float>& weights) {
  return {weights.data, weights.panel_stride};
}

void Forward(const Shape& shape, const float* x, const float* weight,
             float* y) {
  const ConvolutionKernels& kernels = Plan::Kernels();
  const Plan plan(shape, shape.in, shape.out);
  plan.Run(
      [&](const Plan::Range& range, int64_t panel, const TilePanels<float>& v) {
        kernels.transform_input(PanelOf(x, shape, shape.in, range, panel),
                                From(v, panel));
      },
      [&](const Plan::Range& range, const Plan::Group& group,
          const TilePanels<float>& v) {
        plan.ForEachChunk([&](int64_t channel, int64_t channels) {
          for (int64_t p = 0; p < group.panels; ++p) {
            kernels.transform_weight(
                weight + (group.first + p) * kPanel * 9 * shape.in + channel,
                shape.in, channels,
                group.weights.data + p * group.weights.panel_stride);
          }
          kernels.multiply(Const(From(v, channel / kPanel)),
                           Const(group.weights), group.panels, channels,
                           plan.tiles(), group.tiles, /*add=*/channel > 0);
        });
        for (int64_t p = 0; p < group.panels; ++p) {
          kernels.restore_output(
              Const(From(group.tiles, p)),
              PanelOf(y, shape, shape.out, range, group.first + p));
        }
      });
}

// Clears one part of `parts` of a range's images.
void Clear(float* images, const Shape& shape, int64_t channels,
           const Plan::Range& range, int64_t part, int64_t parts) {
  const int64_t image = shape.Pixels() * channels;
  float* const first = images + range.image * image;
  const int64_t values = range.count * image;
  std::fill(first + part * values / parts, first + (part + 1) * values / parts,
            0.0f);
}

// Adds to dweight's as many parts as the plan has ranges; if that is one, it
// need not be cleared. dx or dweight may be null.
void Backward(const Plan& plan, const Shape& shape, const float* x,
              const float* weight, const float* dy, float* dx, float* dweight) {
  const ConvolutionKernels& kernels = Plan::Kernels();
  plan.Run(
      [&](const Plan::Range& range, int64_t panel, const TilePanels<float>& e) {
        kernels.transform_output(PanelOf(dy, shape, shape.out, range, panel),
                                 From(e, panel));
        // Where tiles overlap they are added up. Cleared here and not before,
        // dx is in the cache.
        if (dx != nullptr) {
          Clear(dx, shape, shape.in, range, panel, shape.out / kPanel);
        }
      },
      [&](const Plan::Range& range, const Plan::Group& group,
          const TilePanels<float>& e) {
        const auto at = [&](int64_t channel) {  // in [out, 3, 3, in]
          return channel * 9 * shape.in + group.first * kPanel;
        };
        if (dx != nullptr) {
          plan.ForEachChunk([&](int64_t channel, int64_t channels) {
            kernels.transform_weight_by_input(weight + at(channel), channels,
                                              shape.in, group.panels,
                                              group.weights);
            kernels.multiply(Const(From(e, channel / kPanel)),
                             Const(group.weights), group.panels, channels,
                             plan.tiles(), group.tiles, /*add=*/channel > 0);
          });
          for (int64_t p = 0; p < group.panels; ++p) {
            kernels.restore_input(
                Const(From(group.tiles, p)),
                PanelOf(dx, shape, shape.in, range, group.first + p));
          }
        }
        if (dweight != nullptr) {
          for (int64_t p = 0; p < group.panels; ++p) {
            kernels.transform_input(
                PanelOf(x, shape, shape.in, range, group.first + p),
                From(group.tiles, p));
          }
          float* const part = dweight + range.number * shape.out * 9 * shape.in;
          plan.ForEachChunk([&](int64_t channel, int64_t channels) {
            kernels.multiply_tiles(Const(From(e, channel / kPanel)),
                                   Const(group.tiles), group.panels, channels,
                                   range.count * shape.TilesOfImage(),
                                   group.weights);
            kernels.restore_weight_by_input(
                Const(group.weights), channels, shape.in, group.panels,
                part + at(channel),
                /*add=*/plan.ranges() > 1 || range.image > 0);
          });
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
    if (ctx->needs_input_grad(0)) dx = at::empty_like(x);
    if (ctx->needs_input_grad(1)) {
      const int64_t size[] = {plan.ranges(), shape.out, 3, 3, shape.in};
      dweight = plan.ranges() > 1 ? at::zeros(size, weight.options())
                                  : at::empty(size, weight.options());
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
  constexpr int64_t kFewestTiles = 12;
  if (!CanConvolve3x3(x, weight)) return false;
  // Transforms pay for some channels, and weights' for many tiles; where tiles
  // overhang the image by more than its own size, as 2 x 2 of them do an image
  // of 5x5, too little is saved.
  const int64_t tiles = ShapeOf(x, weight).TilesOfImage();
  return weight.size(1) > kPanel && 2 * x.size(2) * x.size(3) >= 16 * tiles &&
         x.size(0) * tiles >= kFewestTiles;
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
