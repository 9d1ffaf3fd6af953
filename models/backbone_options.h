// What backbones there are, and what makes one of each.

#ifndef GSG_MODELS_BACKBONE_OPTIONS_H_
#define GSG_MODELS_BACKBONE_OPTIONS_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// models/resnet.h
struct ResNetOptions {
  enum class Block {
    kBasic,       // 3x3, 3x3
    kBottleneck,  // 1x1, 3x3, 1x1 to four times the width
  };
  enum class Stem {
    kImageNet,      // 7x7 stride 2, 3x3 max-pool stride 2
    kSmall,         // 3x3 stride 1 (CIFAR, 32x32)
    kSmallStride2,  // 3x3 stride 2
  };

  Block block = Block::kBasic;
  // One entry per stage.
  std::vector<int64_t> blocks;
  std::vector<int64_t> widths;   // channels, before the bottleneck's expansion
  std::vector<int64_t> strides;  // of the stage's first block
  // Widens the inner convolutions of a bottleneck (Zagoruyko and Komodakis,
  // arXiv 1605.07146): torchvision's width_per_group / 64.
  int64_t inner_factor = 1;
  Stem stem = Stem::kImageNet;
  int64_t in_channels = 3;
  // Zeroes the scale of each block's last BatchNorm, so that the residual
  // branches start at 0 (Goyal et al., arXiv 1706.02677, section 5.1).
  bool zero_init_residual = false;
};

// The named architecture: "resnet18", "resnet34", "resnet50", "resnet101",
// "wide_resnet50_2", or "resnet_small", a thin one-block-per-stage network
// meant for Stem::kSmallStride2 on 28x28 images. Errors: kInvalidArgument for
// another name.
absl::StatusOr<ResNetOptions> ResNetOptionsFor(absl::string_view name,
                                               ResNetOptions::Stem stem,
                                               int64_t in_channels = 3);

// models/vit.h
struct VitOptions {
  int64_t image_size = 224;  // side that the position embeddings are sized for
  int64_t patch_size = 16;   // pixels
  int64_t layers = 12;
  int64_t heads = 3;
  int64_t width = 192;      // of a token
  int64_t mlp_width = 768;  // of the hidden layer
  int64_t in_channels = 3;
};

// The named architecture: "vit_tiny" (192 wide, 3 heads), "vit_small" (384, 6
// heads) or "vit_base" (768, 12 heads), all with 12 layers: DeiT-Ti, -S and -B
// (Touvron et al., arXiv 2012.12877, table 1).
// Errors: kInvalidArgument for another name.
absl::StatusOr<VitOptions> VitOptionsFor(absl::string_view name,
                                         int64_t image_size, int64_t patch_size,
                                         int64_t in_channels = 3);

// models/convnext.h
struct ConvNextOptions {
  enum class Stem {
    kImageNet,      // 4x4 stride 4, the paper's
    kSmall,         // 3x3 stride 1 (CIFAR, 32x32)
    kSmallStride2,  // 3x3 stride 2
  };

  // One entry per stage. Between two stages, sides are halved.
  std::vector<int64_t> blocks = {3, 3, 9, 3};
  std::vector<int64_t> widths = {96, 192, 384, 768};
  Stem stem = Stem::kImageNet;
  int64_t in_channels = 3;
  // What the scale of each residual branch's channels starts at.
  double layer_scale = 1e-6;
};

// The named architecture: "convnext_tiny". Errors: kInvalidArgument for another
// name.
absl::StatusOr<ConvNextOptions> ConvNextOptionsFor(absl::string_view name,
                                                   ConvNextOptions::Stem stem,
                                                   int64_t in_channels = 3);

using BackboneOptions =
    std::variant<ResNetOptions, VitOptions, ConvNextOptions>;

}  // namespace gsg

#endif  // GSG_MODELS_BACKBONE_OPTIONS_H_
