#include "models/backbone_options.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {

absl::StatusOr<ResNetOptions> ResNetOptionsFor(absl::string_view name,
                                               ResNetOptions::Stem stem,
                                               int64_t in_channels) {
  using Block = ResNetOptions::Block;
  ResNetOptions options;
  options.stem = stem;
  options.in_channels = in_channels;
  options.strides = {1, 2, 2, 2};
  options.widths = {64, 128, 256, 512};
  if (name == "resnet18") {
    options.blocks = {2, 2, 2, 2};
  } else if (name == "resnet34") {
    options.blocks = {3, 4, 6, 3};
  } else if (name == "resnet50") {
    options.block = Block::kBottleneck;
    options.blocks = {3, 4, 6, 3};
  } else if (name == "resnet101") {
    options.block = Block::kBottleneck;
    options.blocks = {3, 4, 23, 3};
  } else if (name == "wide_resnet50_2") {
    options.block = Block::kBottleneck;
    options.blocks = {3, 4, 6, 3};
    options.inner_factor = 2;
  } else if (name == "resnet_small") {
    options.blocks = {1, 1, 1, 1};
    options.widths = {32, 64, 128, 256};
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown backbone \"", name,
                     "\"; use resnet18, resnet34, resnet50, resnet101, "
                     "wide_resnet50_2 or resnet_small"));
  }
  return options;
}

absl::StatusOr<VitOptions> VitOptionsFor(absl::string_view name,
                                         int64_t image_size, int64_t patch_size,
                                         int64_t in_channels) {
  VitOptions options;
  options.image_size = image_size;
  options.patch_size = patch_size;
  options.in_channels = in_channels;
  if (name == "vit_tiny") {
    options.heads = 3;
    options.width = 192;
  } else if (name == "vit_small") {
    options.heads = 6;
    options.width = 384;
  } else if (name == "vit_base") {
    options.heads = 12;
    options.width = 768;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown backbone \"", name,
                     "\"; use vit_tiny, vit_small or vit_base"));
  }
  options.mlp_width = 4 * options.width;
  return options;
}

absl::StatusOr<ConvNextOptions> ConvNextOptionsFor(absl::string_view name,
                                                   ConvNextOptions::Stem stem,
                                                   int64_t in_channels) {
  if (name != "convnext_tiny") {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown backbone \"", name, "\"; use convnext_tiny"));
  }
  ConvNextOptions options;
  options.stem = stem;
  options.in_channels = in_channels;
  return options;
}

}  // namespace gsg
