#include "models/make_backbone.h"

#include <memory>
#include <variant>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/convnext.h"
#include "models/resnet.h"
#include "models/vit.h"

namespace gsg {

absl::StatusOr<std::shared_ptr<Backbone>> MakeBackbone(
    const BackboneOptions& options) {
  if (const auto* vit = std::get_if<VitOptions>(&options)) {
    GSG_ASSIGN_OR_RETURN(Vit network, MakeVit(*vit));
    return network.ptr();
  }
  if (const auto* convnext = std::get_if<ConvNextOptions>(&options)) {
    GSG_ASSIGN_OR_RETURN(ConvNext network, MakeConvNext(*convnext));
    return network.ptr();
  }
  GSG_ASSIGN_OR_RETURN(ResNet network,
                       MakeResNet(std::get<ResNetOptions>(options)));
  return network.ptr();
}

}  // namespace gsg
