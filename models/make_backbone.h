// A backbone of any kind from its options.

#ifndef GSG_MODELS_MAKE_BACKBONE_H_
#define GSG_MODELS_MAKE_BACKBONE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/backbone_options.h"

namespace gsg {

// A float32 network on the CPU, in training mode, drawn from torch's global
// generator: torch::manual_seed decides every value. Never null.
// Errors: those of MakeResNet, MakeVit and MakeConvNext.
absl::StatusOr<std::shared_ptr<Backbone>> MakeBackbone(
    const BackboneOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_MAKE_BACKBONE_H_
