#include "models/siamese.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/heads.h"
#include "models/make_backbone.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/container/sequential.h"

namespace gsg {
namespace {

using ::torch::nn::Sequential;

class Siamese final : public torch::nn::Module, public SiameseModel {
 public:
  Siamese(std::shared_ptr<Backbone> backbone, Sequential projector,
          Sequential predictor)
      : backbone_(std::move(backbone)),
        projector_(std::move(projector)),
        predictor_(std::move(predictor)) {
    register_module("backbone", std::shared_ptr<torch::nn::Module>(
                                    backbone_, &backbone_->module()));
    register_module("projector", projector_);
    if (predictor_) register_module("predictor", predictor_);
  }

  at::Tensor project(const at::Tensor& x) override {
    return projector_->forward(backbone_->forward(x));
  }
  at::Tensor predict(const at::Tensor& z) override {
    return predictor_ ? predictor_->forward(z) : z;
  }
  Backbone& backbone() override { return *backbone_; }
  torch::nn::Module& module() override { return *this; }

 private:
  const std::shared_ptr<Backbone> backbone_;
  Sequential projector_;
  Sequential predictor_;  // empty if there is none
};

}  // namespace

absl::StatusOr<std::shared_ptr<SiameseModel>> MakeSiameseModel(
    const SiameseOptions& options) {
  GSG_ASSIGN_OR_RETURN(std::shared_ptr<Backbone> backbone,
                       MakeBackbone(options.backbone));
  GSG_ASSIGN_OR_RETURN(
      Sequential projector,
      MakeProjector(backbone->feature_dim(), options.projector));
  absl::StatusOr<Sequential> predictor = Sequential(nullptr);
  if (options.predictor_hidden.has_value()) {
    predictor =
        MakePredictor(options.projector.output, *options.predictor_hidden);
    if (!predictor.ok()) return predictor.status();
  }
  return std::make_shared<Siamese>(std::move(backbone), std::move(projector),
                                   *std::move(predictor));
}

}  // namespace gsg
