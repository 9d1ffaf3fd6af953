#include "models/resnet.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/max_pool2d.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "c10/core/MemoryFormat.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "torch/enum.h"
#include "torch/nn/init.h"
#include "torch/nn/module.h"

namespace gsg {
namespace {

using Block = ResNetOptions::Block;
using Stem = ResNetOptions::Stem;

int64_t Expansion(Block block) { return block == Block::kBottleneck ? 4 : 1; }

// Every convolution of a ResNet: odd kernel, "same" padding, no bias.
Conv2d Convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  Conv2d conv(torch::nn::Conv2dOptions(in, out, kernel)
                  .stride(stride)
                  .padding(kernel / 2)
                  .bias(false));
  torch::nn::init::kaiming_normal_(conv->weight, /*a=*/0, torch::kFanOut,
                                   torch::kReLU);
  return conv;
}

// relu(branch(x) + shortcut(x)). The branch is a chain of convolutions, each
// followed by BatchNorm, with ReLU between them.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(const ResNetOptions& options, int64_t in, int64_t width,
                    int64_t stride) {
    const int64_t out = width * Expansion(options.block);
    if (options.block == Block::kBottleneck) {
      const int64_t inner = width * options.inner_factor;
      Append(in, inner, 1, 1);
      Append(inner, inner, 3, stride);
      Append(inner, out, 1, 1);
    } else {
      Append(in, width, 3, stride);
      Append(width, out, 3, 1);
    }
    if (options.zero_init_residual) {
      torch::nn::init::zeros_(norms_.back()->weight);
    }
    if (stride != 1 || in != out) {
      downsample_ = register_module(
          "downsample", torch::nn::Sequential(Convolution(in, out, 1, stride),
                                              BatchNorm2d(out)));
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor shortcut = downsample_ ? downsample_->forward(x) : x;
    at::Tensor y = x;
    for (size_t i = 0; i < convs_.size(); ++i) {
      const bool last = i + 1 == convs_.size();
      y = norms_[i]->ForwardRelu(convs_[i](y), last ? shortcut : at::Tensor());
    }
    return y;
  }

 private:
  void Append(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
    const size_t number = convs_.size() + 1;
    convs_.push_back(register_module(absl::StrCat("conv", number),
                                     Convolution(in, out, kernel, stride)));
    norms_.push_back(
        register_module(absl::StrCat("bn", number), BatchNorm2d(out)));
  }

  std::vector<Conv2d> convs_;
  std::vector<BatchNorm2d> norms_;
  torch::nn::Sequential downsample_{nullptr};
};

absl::Status CheckPositive(absl::string_view field,
                           absl::Span<const int64_t> values) {
  if (*std::min_element(values.begin(), values.end()) > 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("ResNetOptions.", field, " = ",
                                                 absl::StrJoin(values, ", "),
                                                 "; must be positive"));
}

absl::Status Validate(const ResNetOptions& options) {
  const size_t stages = options.blocks.size();
  if (stages == 0 || options.widths.size() != stages ||
      options.strides.size() != stages) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ResNetOptions has ", stages, " blocks, ", options.widths.size(),
        " widths and ", options.strides.size(),
        " strides; give one of each per stage, for at least one stage"));
  }
  absl::Status status = CheckPositive("blocks", options.blocks);
  status.Update(CheckPositive("widths", options.widths));
  status.Update(CheckPositive("strides", options.strides));
  status.Update(CheckPositive("inner_factor", {options.inner_factor}));
  status.Update(CheckPositive("in_channels", {options.in_channels}));
  return status;
}

}  // namespace

ResNetImpl::ResNetImpl(const ResNetOptions& options)
    : max_pool_(options.stem == Stem::kImageNet) {
  // The stem is as wide as the first stage (64 in the paper's networks).
  int64_t channels = options.widths.front();
  const int64_t kernel = options.stem == Stem::kImageNet ? 7 : 3;
  const int64_t stride = options.stem == Stem::kSmall ? 1 : 2;
  conv1_ = register_module(
      "conv1", Convolution(options.in_channels, channels, kernel, stride));
  bn1_ = register_module("bn1", BatchNorm2d(channels));
  for (size_t s = 0; s < options.blocks.size(); ++s) {
    torch::nn::Sequential stage;
    for (int64_t b = 0; b < options.blocks[s]; ++b) {
      stage->push_back(std::make_shared<ResidualBlockImpl>(
          options, channels, options.widths[s],
          b == 0 ? options.strides[s] : 1));
      channels = options.widths[s] * Expansion(options.block);
    }
    stages_.push_back(register_module(absl::StrCat("layer", s + 1), stage));
  }
  feature_dim_ = channels;
}

at::Tensor ResNetImpl::forward(const at::Tensor& x) {
  const int64_t in_channels = conv1_->options.in_channels();
  TORCH_CHECK_VALUE(x.dim() == 4 && x.size(1) == in_channels,
                    "ResNet takes [B, ", in_channels, ", H, W]; got ",
                    x.sizes());
  at::Tensor y = conv1_(x);
  // Of gray images, which are in both layouts at once, torch makes the other.
  y = y.contiguous(at::MemoryFormat::ChannelsLast);
  y = bn1_->ForwardRelu(std::move(y));
  if (max_pool_) {
    y = at::max_pool2d(y, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
  }
  for (torch::nn::Sequential& stage : stages_) y = stage->forward(y);
  // In float32 also where autocast has rounded y.
  return y.mean({2, 3}, /*keepdim=*/false,
                y.scalar_type() == c10::kDouble ? c10::kDouble : c10::kFloat);
}

absl::StatusOr<ResNet> MakeResNet(const ResNetOptions& options) {
  absl::Status status = Validate(options);
  if (!status.ok()) return status;
  return ResNet(std::shared_ptr<ResNetImpl>(new ResNetImpl(options)));
}

}  // namespace gsg
