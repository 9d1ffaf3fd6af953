// The network that SimSiam, BYOL and guided stop-gradient train: z = f(x),
// p = h(z), with f = backbone + projector and h = predictor.

#ifndef GSG_MODELS_SIAMESE_H_
#define GSG_MODELS_SIAMESE_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/head_options.h"
#include "models/module_state.h"

namespace gsg {

struct SiameseOptions {
  BackboneOptions backbone;
  ProjectorOptions projector = kImageNetProjector;
  // nullopt: no predictor, h is the identity.
  std::optional<int64_t> predictor_hidden = kPredictorHidden;
};

class SiameseModel {
 public:
  virtual ~SiameseModel() = default;

  // z = f(x): [B, C, H, W] -> [B, D], D the projector's output width.
  virtual at::Tensor project(const at::Tensor& x) = 0;
  // p = h(z): [B, D] -> [B, D]; z itself without a predictor.
  virtual at::Tensor predict(const at::Tensor& z) = 0;

  // [B, C, H, W] -> [B, backbone().feature_dim()]: what evaluation uses.
  virtual Backbone& backbone() = 0;

  // Of "backbone", "projector" and, if there is one, "predictor".
  virtual torch::nn::Module& module() = 0;
};

// Draws backbone, projector and predictor in this order from torch's global
// generator, so that a seed gives one backbone whatever the heads are. Never
// null. Errors: those of MakeBackbone, MakeProjector and MakePredictor
// (heads.h).
absl::StatusOr<std::shared_ptr<SiameseModel>> MakeSiameseModel(
    const SiameseOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_SIAMESE_H_
