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
#include "models/heads.h"
#include "models/make_backbone.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/pimpl.h"

namespace gsg {

struct SiameseOptions {
  BackboneOptions backbone;
  ProjectorOptions projector = kImageNetProjector;
  // nullopt: no predictor, h is the identity.
  std::optional<int64_t> predictor_hidden = kPredictorHidden;
};

class SiameseModelImpl : public torch::nn::Module {
 public:
  // [B, C, H, W] -> [B, backbone->feature_dim()]: what evaluation uses.
  at::Tensor features(const at::Tensor& x) { return backbone->forward(x); }
  // z = f(x): [B, C, H, W] -> [B, D], D the projector's output width.
  at::Tensor project(const at::Tensor& x);
  // p = h(z): [B, D] -> [B, D]; z itself without a predictor.
  at::Tensor predict(const at::Tensor& z);

  // Registered under these names. predictor is null if there is none.
  std::shared_ptr<Backbone> backbone;
  torch::nn::Sequential projector;
  torch::nn::Sequential predictor;

 private:
  friend absl::StatusOr<class SiameseModel> MakeSiameseModel(
      const SiameseOptions& options);
  SiameseModelImpl(std::shared_ptr<Backbone> backbone,
                   torch::nn::Sequential projector,
                   torch::nn::Sequential predictor);
};
TORCH_MODULE(SiameseModel);

// Draws backbone, projector and predictor in this order from torch's global
// generator, so that a seed gives one backbone whatever the heads are.
// Errors: those of MakeBackbone, MakeProjector and MakePredictor.
absl::StatusOr<SiameseModel> MakeSiameseModel(const SiameseOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_SIAMESE_H_
