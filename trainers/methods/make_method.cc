#include "trainers/methods/make_method.h"

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/siamese.h"
#include "trainers/config/config.h"
#include "trainers/config/convnext.h"
#include "trainers/config/methods.h"
#include "trainers/config/transformer.h"
#include "trainers/methods/method.h"
#include "trainers/methods/siamese_method.h"
#include "trainers/methods/target_network.h"

namespace gsg {

namespace {

template <class Stem>
Stem StemOf(const Config& config) {
  return config.stem == "imagenet" ? Stem::kImageNet
         : config.stem == "small"  ? Stem::kSmall
                                   : Stem::kSmallStride2;
}

absl::StatusOr<BackboneOptions> BackboneFor(const Config& config,
                                            int64_t channels) {
  if (IsTransformer(config)) {
    GSG_ASSIGN_OR_RETURN(VitOptions vit,
                         VitOptionsFor(config.backbone, config.augment.size,
                                       PatchSize(config), channels));
    return vit;
  }
  if (IsConvNext(config)) {
    GSG_ASSIGN_OR_RETURN(
        ConvNextOptions convnext,
        ConvNextOptionsFor(config.backbone,
                           StemOf<ConvNextOptions::Stem>(config), channels));
    return convnext;
  }
  GSG_ASSIGN_OR_RETURN(
      ResNetOptions resnet,
      ResNetOptionsFor(config.backbone, StemOf<ResNetOptions::Stem>(config),
                       channels));
  resnet.zero_init_residual = config.zero_init_residual;
  return resnet;
}

}  // namespace

absl::StatusOr<SiameseOptions> NetworkOptions(const Config& config,
                                              int64_t channels) {
  GSG_ASSIGN_OR_RETURN(BackboneOptions backbone, BackboneFor(config, channels));
  SiameseOptions options;
  options.backbone = std::move(backbone);
  options.projector = {config.projector_layers, config.projector_hidden,
                       config.projector_dim};
  options.predictor_hidden = std::nullopt;
  if (config.predictor == "mlp") {
    options.predictor_hidden = config.predictor_hidden;
  }
  return options;
}

absl::StatusOr<std::unique_ptr<Method>> MakeMethod(
    const Config& config, int64_t channels, c10::Device device,
    std::function<absl::Status(Backbone&)> prepare_backbone) {
  const MethodInfo* method = FindMethod(config.method);
  if (method == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("no method is called \"", config.method, "\""));
  }
  GSG_ASSIGN_OR_RETURN(SiameseOptions network,
                       NetworkOptions(config, channels));
  SiameseMethodOptions options;
  options.network = std::move(network);
  options.prepare_backbone = std::move(prepare_backbone);
  if (method->momentum_encoder) {
    options.target = TargetOptions{config.target_momentum,
                                   config.target_momentum_schedule == "cosine"};
  }
  options.weight_decay = config.optimizer.weight_decay;
  options.decay_bias_and_norm = config.optimizer.decay_bias_and_norm;
  options.constant_predictor_lr = config.constant_predictor_lr;
  options.bfloat16 = config.precision == "bfloat16" ||
                     (config.precision == "auto" && device.is_cuda());
  return MakeSiameseMethod(options, device);
}

}  // namespace gsg
