#include "models/convnext.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/gelu.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "models/linear_layer.h"
#include "torch/nn/init.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/modules/normalization.h"
#include "torch/nn/options/conv.h"
#include "torch/nn/options/normalization.h"

namespace gsg {
namespace {

using ::torch::nn::Conv2d;
using ::torch::nn::Conv2dOptions;
using ::torch::nn::LayerNorm;

using Stem = ConvNextOptions::Stem;

template <class Layer>
Layer Initialized(Layer layer) {
  // torchvision cuts this off at 2, which is 100 deviations away.
  torch::nn::init::normal_(layer->weight, /*mean=*/0, /*std=*/0.02);
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

Conv2d Convolution(const Conv2dOptions& options) {
  return Initialized(Conv2d(options));
}

LayerNorm MakeNorm(int64_t width) {
  return LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

// [B, C, H, W] -> [B, H, W, C] and back: views.
at::Tensor ChannelsLast(const at::Tensor& x) { return x.permute({0, 2, 3, 1}); }
at::Tensor ChannelsFirst(const at::Tensor& x) {
  return x.permute({0, 3, 1, 2});
}

// The first layers, and those between two stages: a convolution and a LayerNorm
// of channels, in either order.
class ReductionImpl : public torch::nn::Module {
 public:
  enum class Order { kConvolutionFirst, kNormFirst };

  ReductionImpl(const Conv2dOptions& options, Order order) : order_(order) {
    if (order == Order::kConvolutionFirst) {
      convolution_ = register_module("0", Convolution(options));
      norm_ = register_module("1", MakeNorm(options.out_channels()));
    } else {
      norm_ = register_module("0", MakeNorm(options.in_channels()));
      convolution_ = register_module("1", Convolution(options));
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    return order_ == Order::kConvolutionFirst ? Norm(convolution_(x))
                                              : convolution_(Norm(x));
  }

 private:
  at::Tensor Norm(const at::Tensor& x) {
    return ChannelsFirst(norm_(ChannelsLast(x)));
  }

  const Order order_;
  Conv2d convolution_{nullptr};
  LayerNorm norm_{nullptr};
};
TORCH_MODULE(Reduction);

// The numbers are those of torchvision's layers, between which permutations and
// the GELU stand.
class BranchImpl : public torch::nn::Module {
 public:
  explicit BranchImpl(int64_t width)
      : depthwise_(register_module(
            "0", Convolution(
                     Conv2dOptions(width, width, 7).padding(3).groups(width)))),
        norm_(register_module("2", MakeNorm(width))),
        expand_(register_module("3", Initialized(Linear(width, 4 * width)))),
        contract_(register_module("5", Initialized(Linear(4 * width, width)))) {
  }

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = norm_(ChannelsLast(depthwise_(x)));
    return ChannelsFirst(contract_(at::gelu(expand_(y))));
  }

 private:
  Conv2d depthwise_;
  LayerNorm norm_;
  Linear expand_, contract_;
};
TORCH_MODULE(Branch);

class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(int64_t width, double layer_scale) {
    layer_scale_ =
        register_parameter("layer_scale", at::full({width, 1, 1}, layer_scale));
    branch_ = register_module("block", Branch(width));
  }

  at::Tensor forward(const at::Tensor& x) {
    return x + layer_scale_ * branch_(x);
  }

 private:
  at::Tensor layer_scale_;
  Branch branch_{nullptr};
};
TORCH_MODULE(Block);

class StageImpl : public torch::nn::Module {
 public:
  StageImpl(int64_t blocks, int64_t width, double layer_scale) {
    for (int64_t i = 0; i < blocks; ++i) {
      blocks_.push_back(
          register_module(absl::StrCat(i), Block(width, layer_scale)));
    }
  }

  at::Tensor forward(at::Tensor x) {
    for (Block& block : blocks_) x = block(x);
    return x;
  }

 private:
  std::vector<Block> blocks_;
};
TORCH_MODULE(Stage);

Conv2dOptions StemOptions(const ConvNextOptions& options) {
  const bool patches = options.stem == Stem::kImageNet;
  return Conv2dOptions(options.in_channels, options.widths.front(),
                       patches ? 4 : 3)
      .stride(patches                        ? 4
              : options.stem == Stem::kSmall ? 1
                                             : 2)
      .padding(patches ? 0 : 1);
}

absl::Status Validate(const ConvNextOptions& options) {
  if (options.blocks.empty() ||
      options.blocks.size() != options.widths.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ConvNextOptions has ", options.blocks.size(), " blocks and ",
        options.widths.size(),
        " widths; give one of each per stage, for at least one stage"));
  }
  for (const auto& [field, values] : std::initializer_list<
           std::pair<absl::string_view, std::vector<int64_t>>>{
           {"blocks", options.blocks},
           {"widths", options.widths},
           {"in_channels", {options.in_channels}}}) {
    for (const int64_t value : values) {
      if (value > 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("ConvNextOptions.", field, " = ",
                       absl::StrJoin(values, ", "), "; must be positive"));
    }
  }
  if (!std::isfinite(options.layer_scale)) {
    return absl::InvalidArgumentError(
        absl::StrCat("ConvNextOptions.layer_scale = ", options.layer_scale,
                     "; must be finite"));
  }
  return absl::OkStatus();
}

}  // namespace

class ConvNextFeaturesImpl : public torch::nn::Module {
 public:
  explicit ConvNextFeaturesImpl(const ConvNextOptions& options) {
    using Order = ReductionImpl::Order;
    for (size_t s = 0; s < options.blocks.size(); ++s) {
      const int64_t width = options.widths[s];
      reductions_.push_back(register_module(
          absl::StrCat(2 * s),
          s == 0 ? Reduction(StemOptions(options), Order::kConvolutionFirst)
                 : Reduction(
                       Conv2dOptions(options.widths[s - 1], width, 2).stride(2),
                       Order::kNormFirst)));
      stages_.push_back(register_module(
          absl::StrCat(2 * s + 1),
          Stage(options.blocks[s], width, options.layer_scale)));
    }
  }

  at::Tensor forward(at::Tensor x) {
    for (size_t s = 0; s < stages_.size(); ++s) {
      x = stages_[s](reductions_[s](x));
    }
    return x;
  }

 private:
  std::vector<Reduction> reductions_;
  std::vector<Stage> stages_;
};

ConvNextImpl::ConvNextImpl(const ConvNextOptions& options) : options_(options) {
  features_ = register_module("features",
                              std::make_shared<ConvNextFeaturesImpl>(options));
  // Its name is of torchvision's first layer behind the pooling.
  const auto classifier =
      register_module("classifier", std::make_shared<torch::nn::Module>());
  norm_ = classifier->register_module("0", MakeNorm(feature_dim()));
}

absl::Status ConvNextImpl::CheckImageSize(int64_t height, int64_t width) const {
  // What the stem leaves is halved, rounding down, before each further stage.
  const int64_t left = int64_t{1} << (options_.blocks.size() - 1);
  const int64_t least = options_.stem == Stem::kImageNet ? 4 * left
                        : options_.stem == Stem::kSmall  ? left
                                                         : 2 * left - 1;
  if (height >= least && width >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "images of ", height, "x", width,
      " pixels are too small for this ConvNeXt; both sides must have at least ",
      least));
}

at::Tensor ConvNextImpl::forward(const at::Tensor& x) {
  TORCH_CHECK_VALUE(x.dim() == 4 && x.size(1) == options_.in_channels,
                    "ConvNeXt takes [B, ", options_.in_channels,
                    ", H, W]; got ", x.sizes());
  const absl::Status size = CheckImageSize(x.size(2), x.size(3));
  TORCH_CHECK_VALUE(size.ok(), size.message());
  return norm_(features_->forward(x).mean({2, 3}));
}

absl::StatusOr<ConvNext> MakeConvNext(const ConvNextOptions& options) {
  absl::Status status = Validate(options);
  if (!status.ok()) return status;
  return ConvNext(std::shared_ptr<ConvNextImpl>(new ConvNextImpl(options)));
}

}  // namespace gsg
