#include "models/vit.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/scaled_dot_product_attention.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "c10/util/Exception.h"
#include "models/linear.h"
#include "models/linear_layer.h"
#include "models/positions.h"
#include "torch/nn/init.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/normalization.h"
#include "torch/nn/options/conv.h"
#include "torch/nn/options/normalization.h"

namespace gsg {
namespace {

using ::torch::nn::Conv2d;
using ::torch::nn::LayerNorm;

LayerNorm MakeNorm(int64_t width) {
  return LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

// torch.nn.MultiheadAttention of a sequence with itself.
class SelfAttentionImpl : public torch::nn::Module {
 public:
  SelfAttentionImpl(int64_t width, int64_t heads) : heads_(heads) {
    in_proj_weight_ =
        register_parameter("in_proj_weight", at::empty({3 * width, width}));
    in_proj_bias_ = register_parameter("in_proj_bias", at::zeros({3 * width}));
    torch::nn::init::xavier_uniform_(in_proj_weight_);
    out_proj_ = register_module("out_proj", Linear(width, width));
    torch::nn::init::zeros_(out_proj_->bias);
  }

  // [B, tokens, width] -> the same.
  at::Tensor forward(const at::Tensor& x) {
    const int64_t batch = x.size(0), tokens = x.size(1), width = x.size(2);
    // [3, B, heads, tokens, width / heads], a view: attention reads rows.
    const at::Tensor qkv = ApplyLinear(x, in_proj_weight_, in_proj_bias_)
                               .view({batch, tokens, 3, heads_, width / heads_})
                               .permute({2, 0, 3, 1, 4});
    const at::Tensor mixed =
        at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    return out_proj_(mixed.transpose(1, 2).reshape({batch, tokens, width}));
  }

 private:
  const int64_t heads_;
  at::Tensor in_proj_weight_, in_proj_bias_;
  Linear out_proj_{nullptr};
};
TORCH_MODULE(SelfAttention);

// The numbers are those of torchvision's layers, between which dropout stands.
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(int64_t width, int64_t hidden)
      : expand_(register_module("0", Linear(width, hidden))),
        contract_(register_module("3", Linear(hidden, width))) {
    for (const Linear& layer : {expand_, contract_}) {
      torch::nn::init::xavier_uniform_(layer->weight);
      torch::nn::init::normal_(layer->bias, /*mean=*/0, /*std=*/1e-6);
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    return contract_(at::gelu(expand_(x)));
  }

 private:
  Linear expand_, contract_;
};
TORCH_MODULE(Mlp);

class EncoderLayerImpl : public torch::nn::Module {
 public:
  explicit EncoderLayerImpl(const VitOptions& options)
      : ln_1_(register_module("ln_1", MakeNorm(options.width))),
        self_attention_(register_module(
            "self_attention", SelfAttention(options.width, options.heads))),
        ln_2_(register_module("ln_2", MakeNorm(options.width))),
        mlp_(register_module("mlp", Mlp(options.width, options.mlp_width))) {}

  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor x = input + self_attention_(ln_1_(input));
    return x + mlp_(ln_2_(x));
  }

 private:
  LayerNorm ln_1_;
  SelfAttention self_attention_;
  LayerNorm ln_2_;
  Mlp mlp_;
};
TORCH_MODULE(EncoderLayer);

class LayersImpl : public torch::nn::Module {
 public:
  explicit LayersImpl(const VitOptions& options) {
    for (int64_t i = 0; i < options.layers; ++i) {
      layers_.push_back(register_module(absl::StrCat("encoder_layer_", i),
                                        EncoderLayer(options)));
    }
  }

  at::Tensor forward(at::Tensor x) {
    for (EncoderLayer& layer : layers_) x = layer(x);
    return x;
  }

 private:
  std::vector<EncoderLayer> layers_;
};
TORCH_MODULE(Layers);

absl::Status Validate(const VitOptions& options) {
  for (const auto& [field, value] :
       std::initializer_list<std::pair<absl::string_view, int64_t>>{
           {"image_size", options.image_size},
           {"patch_size", options.patch_size},
           {"layers", options.layers},
           {"heads", options.heads},
           {"width", options.width},
           {"mlp_width", options.mlp_width},
           {"in_channels", options.in_channels}}) {
    if (value > 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("VitOptions.", field, " = ", value, "; must be positive"));
  }
  if (options.width % options.heads != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("VitOptions.width = ", options.width,
                     "; must be a multiple of heads = ", options.heads));
  }
  if (options.image_size % options.patch_size != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "VitOptions.image_size = ", options.image_size,
        "; must be a multiple of patch_size = ", options.patch_size));
  }
  return absl::OkStatus();
}

}  // namespace

class VitEncoderImpl : public torch::nn::Module {
 public:
  explicit VitEncoderImpl(const VitOptions& options)
      : side_(options.image_size / options.patch_size) {
    pos_embedding_ = register_parameter(
        "pos_embedding", at::empty({1, 1 + side_ * side_, options.width}));
    torch::nn::init::normal_(pos_embedding_, /*mean=*/0, /*std=*/0.02);
    layers_ = register_module("layers", Layers(options));
    ln_ = register_module("ln", MakeNorm(options.width));
  }

  // x: [B, 1 + height * width, C], the class token first. Returns [B, C]: it.
  at::Tensor forward(const at::Tensor& x, int64_t height, int64_t width) {
    // LayerNorm is of a token: the others need none.
    return ln_(layers_(x + Positions(height, width)).select(1, 0));
  }

 private:
  // [1, 1 + height * width, C]
  at::Tensor Positions(int64_t height, int64_t width) const {
    if (height == side_ && width == side_) return pos_embedding_;
    return ResizePositions(pos_embedding_, height, width);
  }

  const int64_t side_;  // in patches
  at::Tensor pos_embedding_;
  Layers layers_{nullptr};
  LayerNorm ln_{nullptr};
};

VitImpl::VitImpl(const VitOptions& options) : options_(options) {
  const int64_t patch = options.patch_size;
  class_token_ =
      register_parameter("class_token", at::zeros({1, 1, options.width}));
  conv_proj_ = register_module(
      "conv_proj",
      Conv2d(torch::nn::Conv2dOptions(options.in_channels, options.width, patch)
                 .stride(patch)));
  // torchvision cuts this off at 2, which is 8 deviations and more away for
  // patches of 4 pixels and up.
  torch::nn::init::normal_(
      conv_proj_->weight, /*mean=*/0,
      1 / std::sqrt(static_cast<double>(options.in_channels * patch * patch)));
  torch::nn::init::zeros_(conv_proj_->bias);
  encoder_ =
      register_module("encoder", std::make_shared<VitEncoderImpl>(options));
}

absl::Status VitImpl::CheckImageSize(int64_t height, int64_t width) const {
  const int64_t patch = options_.patch_size;
  if (std::min(height, width) >= patch && height % patch == 0 &&
      width % patch == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("images of ", height, "x", width,
                   " pixels do not divide into patches of ", patch, "x", patch,
                   "; both sides must be multiples of ", patch));
}

at::Tensor VitImpl::forward(const at::Tensor& x) {
  TORCH_CHECK_VALUE(x.dim() == 4 && x.size(1) == options_.in_channels,
                    "Vit takes [B, ", options_.in_channels, ", H, W]; got ",
                    x.sizes());
  const absl::Status size = CheckImageSize(x.size(2), x.size(3));
  TORCH_CHECK_VALUE(size.ok(), size.message());
  const int64_t batch = x.size(0);
  const at::Tensor patches = conv_proj_(x);  // [B, width, h, w]
  const at::Tensor tokens = at::cat({class_token_.expand({batch, -1, -1}),
                                     patches.flatten(2).transpose(1, 2)},
                                    1);
  return encoder_->forward(tokens, patches.size(2), patches.size(3));
}

absl::StatusOr<Vit> MakeVit(const VitOptions& options) {
  absl::Status status = Validate(options);
  if (!status.ok()) return status;
  return Vit(std::shared_ptr<VitImpl>(new VitImpl(options)));
}

}  // namespace gsg
