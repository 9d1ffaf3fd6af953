#include "trainers/programs/loading_code.h"

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "models/backbone_options.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

// torchvision has no thin ResNet: one whose stages are made again.
constexpr absl::string_view kThinLines =
    R"(block = torchvision.models.resnet.BasicBlock
model.bn1 = torch.nn.BatchNorm2d(32)
model.inplanes = 32
for i in range(4):
    stage = model._make_layer(block, 32 * 2**i, 1, stride=min(i + 1, 2))
    setattr(model, f"layer{i + 1}", stage)
)";

bool IsThin(const Config& config) { return config.backbone == "resnet_small"; }

// torchvision's and timm's networks have 1000 classes unless told otherwise.
constexpr int64_t kUsualClasses = 1000;

// The 3x3 convolution with which a small stem begins, up to further arguments.
std::string SmallConvolution(const Config& config, int64_t channels,
                             int64_t width) {
  return absl::StrCat("torch.nn.Conv2d(", channels, ", ", width,
                      config.stem == "small" ? ", 3, stride=1, padding=1"
                                             : ", 3, stride=2, padding=1");
}

// The lines that replace the stem of a ResNet, where it has to be.
std::string ResNetStem(const Config& config, int64_t channels, int64_t width,
                       bool has_channels) {
  if (config.stem == "imagenet") {
    if (width == 64 && has_channels) return "";
    return absl::StrCat("model.conv1 = torch.nn.Conv2d(", channels, ", ", width,
                        ", 7, stride=2, padding=3, bias=False)\n");
  }
  return absl::StrCat(
      "model.conv1 = ", SmallConvolution(config, channels, width),
      ", bias=False)\nmodel.maxpool = torch.nn.Identity()\n");
}

LoadingCode Torchvision(const Config& config, const ResNetOptions& resnet,
                        int64_t num_classes) {
  const bool thin = IsThin(config);
  LoadingCode code;
  code.classifier = "fc";
  code.lines = absl::StrCat("model = torchvision.models.",
                            thin ? "resnet18" : config.backbone.c_str(), "(");
  if (!thin && num_classes > 0 && num_classes != kUsualClasses) {
    absl::StrAppend(&code.lines, "num_classes=", num_classes);
  }
  absl::StrAppend(&code.lines, ")\n",
                  ResNetStem(config, resnet.in_channels, resnet.widths.front(),
                             resnet.in_channels == 3),
                  thin ? kThinLines : "");
  if (num_classes == 0) {
    absl::StrAppend(&code.lines, "model.fc = torch.nn.Identity()\n");
  } else if (thin) {
    absl::StrAppend(&code.lines, "model.fc = torch.nn.Linear(",
                    resnet.widths.back(), ", ", num_classes, ")\n");
  }
  return code;
}

LoadingCode Torchvision(const Config&, const VitOptions& vit,
                        int64_t num_classes) {
  LoadingCode code;
  code.classifier = "heads.head";
  code.lines = absl::StrCat(
      "model = torchvision.models.VisionTransformer(\n    image_size=",
      vit.image_size, ", patch_size=", vit.patch_size,
      ", num_layers=", vit.layers, ", num_heads=", vit.heads,
      ",\n    hidden_dim=", vit.width, ", mlp_dim=", vit.mlp_width);
  if (num_classes > 0 && num_classes != kUsualClasses) {
    absl::StrAppend(&code.lines, ", num_classes=", num_classes);
  }
  absl::StrAppend(&code.lines, ")\n");
  if (vit.in_channels != 3) {
    absl::StrAppend(&code.lines, "model.conv_proj = torch.nn.Conv2d(",
                    vit.in_channels, ", ", vit.width, ", ", vit.patch_size,
                    ", stride=", vit.patch_size, ")\n");
  }
  if (num_classes == 0) {
    absl::StrAppend(&code.lines, "model.heads = torch.nn.Identity()\n");
  }
  return code;
}

LoadingCode Torchvision(const Config& config, const ConvNextOptions& convnext,
                        int64_t num_classes) {
  LoadingCode code;
  code.classifier = "classifier.2";
  code.lines =
      absl::StrCat("model = torchvision.models.", config.backbone, "(");
  if (num_classes > 0 && num_classes != kUsualClasses) {
    absl::StrAppend(&code.lines, "num_classes=", num_classes);
  }
  absl::StrAppend(&code.lines, ")\n");
  const int64_t channels = convnext.in_channels;
  const int64_t width = convnext.widths.front();
  if (config.stem != "imagenet") {
    absl::StrAppend(&code.lines, "model.features[0][0] = ",
                    SmallConvolution(config, channels, width), ")\n");
  } else if (channels != 3) {
    absl::StrAppend(&code.lines, "model.features[0][0] = torch.nn.Conv2d(",
                    channels, ", ", width, ", 4, stride=4)\n");
  }
  if (num_classes == 0) {
    absl::StrAppend(&code.lines, "model.classifier[2] = torch.nn.Identity()\n");
  }
  return code;
}

// timm.create_model("name", ...)
std::string CreateModel(absl::string_view name, int64_t channels,
                        int64_t num_classes, absl::string_view more = "") {
  std::string line =
      absl::StrCat("model = timm.create_model(\"", name, "\"", more);
  if (channels != 3) absl::StrAppend(&line, ", in_chans=", channels);
  if (num_classes != kUsualClasses) {
    absl::StrAppend(&line, ", num_classes=", num_classes);
  }
  return absl::StrCat(line, ")\n");
}

LoadingCode Timm(const Config& config, const ResNetOptions& resnet,
                 int64_t num_classes) {
  return {absl::StrCat(
              CreateModel(config.backbone, resnet.in_channels, num_classes),
              ResNetStem(config, resnet.in_channels, resnet.widths.front(),
                         /*has_channels=*/true)),
          "fc"};
}

LoadingCode Timm(const Config& config, const VitOptions& vit,
                 int64_t num_classes) {
  return {CreateModel(absl::StrCat(config.backbone, "_patch16_224"),
                      vit.in_channels, num_classes,
                      absl::StrCat(", img_size=", vit.image_size,
                                   ", patch_size=", vit.patch_size)),
          "head"};
}

LoadingCode Timm(const Config& config, const ConvNextOptions& convnext,
                 int64_t num_classes) {
  LoadingCode code = {
      CreateModel(config.backbone, convnext.in_channels, num_classes),
      "head.fc"};
  if (config.stem != "imagenet") {
    absl::StrAppend(
        &code.lines, "model.stem[0] = ",
        SmallConvolution(config, convnext.in_channels, convnext.widths.front()),
        ")\n");
  }
  return code;
}

}  // namespace

absl::StatusOr<LoadingCode> TorchvisionCode(const Config& config,
                                            const BackboneOptions& backbone,
                                            int64_t num_classes) {
  return std::visit(
      [&](const auto& options) {
        return Torchvision(config, options, num_classes);
      },
      backbone);
}

absl::StatusOr<LoadingCode> TimmCode(const Config& config,
                                     const BackboneOptions& backbone,
                                     int64_t num_classes) {
  if (IsThin(config)) {
    return absl::InvalidArgumentError(
        "--names=timm: timm has no network like resnet_small; "
        "--names=torchvision (the default) says how to make it");
  }
  return std::visit(
      [&](const auto& options) { return Timm(config, options, num_classes); },
      backbone);
}

}  // namespace gsg
