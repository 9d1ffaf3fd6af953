#include "models/siamese.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/heads.h"
#include "models/make_backbone.h"
#include "torch/nn/modules/container/sequential.h"

namespace gsg {

using ::torch::nn::Sequential;

SiameseModelImpl::SiameseModelImpl(std::shared_ptr<Backbone> backbone,
                                   Sequential projector, Sequential predictor)
    : backbone(register_module("backbone", std::move(backbone))),
      projector(register_module("projector", std::move(projector))),
      predictor(std::move(predictor)) {
  if (this->predictor) register_module("predictor", this->predictor);
}

at::Tensor SiameseModelImpl::project(const at::Tensor& x) {
  return projector->forward(features(x));
}

at::Tensor SiameseModelImpl::predict(const at::Tensor& z) {
  return predictor ? predictor->forward(z) : z;
}

absl::StatusOr<SiameseModel> MakeSiameseModel(const SiameseOptions& options) {
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
  return SiameseModel(std::shared_ptr<SiameseModelImpl>(
      new SiameseModelImpl(backbone, projector, *predictor)));
}

}  // namespace gsg
