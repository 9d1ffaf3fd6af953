// ConvNeXt backbones without the classifier.
//
// Liu et al., "A ConvNet for the 2020s", arXiv 2201.03545. Names, shapes and
// order of parameters are those of torchvision.models.convnext without
// "classifier.2", and so are their first values, so that weights travel both
// ways.
//
// There is no stochastic depth. The paper's 0.1 regularizes supervised training
// of 300 epochs; here augmentation does that, and a block that one view passes
// and another does not would add noise to the distances that guide. Features in
// evaluation are the same with and without.

#ifndef GSG_MODELS_CONVNEXT_H_
#define GSG_MODELS_CONVNEXT_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/normalization.h"
#include "torch/nn/pimpl.h"

namespace gsg {

class ConvNextFeaturesImpl;

class ConvNextImpl : public torch::nn::Module, public Backbone {
 public:
  // Returns the last stage's global average behind the last LayerNorm.
  at::Tensor forward(const at::Tensor& x) override;
  int64_t feature_dim() const override { return options_.widths.back(); }
  torch::nn::Module& module() override { return *this; }
  // The last stage needs a pixel: with four stages both sides have at least 32,
  // with Stem::kSmall 8 and with Stem::kSmallStride2 15.
  absl::Status CheckImageSize(int64_t height, int64_t width) const override;

 private:
  friend absl::StatusOr<class ConvNext> MakeConvNext(
      const ConvNextOptions& options);
  explicit ConvNextImpl(const ConvNextOptions& options);

  const ConvNextOptions options_;
  std::shared_ptr<ConvNextFeaturesImpl> features_;
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(ConvNext);

// A float32 network on the CPU, in training mode. Weights start normal with
// deviation 0.02 and biases at 0, drawn from torch's global generator:
// torch::manual_seed decides every value.
// Errors: kInvalidArgument if the per-stage vectors are empty or differ in
// length, a count or width is not positive, or layer_scale is not finite.
absl::StatusOr<ConvNext> MakeConvNext(const ConvNextOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_CONVNEXT_H_
