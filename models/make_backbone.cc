#include "models/make_backbone.h"

#include <memory>
#include <variant>

#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/resnet.h"
#include "models/vit.h"

namespace gsg {

absl::StatusOr<std::shared_ptr<Backbone>> MakeBackbone(
    const BackboneOptions& options) {
  if (const auto* vit = std::get_if<VitOptions>(&options)) {
    absl::StatusOr<Vit> network = MakeVit(*vit);
    if (!network.ok()) return network.status();
    return network->ptr();
  }
  absl::StatusOr<ResNet> network = MakeResNet(std::get<ResNetOptions>(options));
  if (!network.ok()) return network.status();
  return network->ptr();
}

}  // namespace gsg
