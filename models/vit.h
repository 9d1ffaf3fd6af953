// Vision Transformer backbones without the classifier.
//
// Dosovitskiy et al., arXiv 2010.11929. Names, shapes and order of parameters
// are those of torchvision.models.VisionTransformer without "heads", and so are
// their first values, so that weights travel both ways.

#ifndef GSG_MODELS_VIT_H_
#define GSG_MODELS_VIT_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/modules/normalization.h"
#include "torch/nn/pimpl.h"

namespace gsg {

class VitEncoderImpl;

class VitImpl : public torch::nn::Module, public Backbone {
 public:
  // Returns the class token behind the last LayerNorm, as DINO and MoCo v3
  // take it. Images of another size than options.image_size get position
  // embeddings interpolated from the square grid of those that are there:
  // bicubic, with the corners kept, as torchvision's interpolate_embeddings.
  at::Tensor forward(const at::Tensor& x) override;
  int64_t feature_dim() const override { return options_.width; }
  torch::nn::Module& module() override { return *this; }
  // Both sides must be multiples of options.patch_size.
  absl::Status CheckImageSize(int64_t height, int64_t width) const override;

 private:
  friend absl::StatusOr<class Vit> MakeVit(const VitOptions& options);
  explicit VitImpl(const VitOptions& options);

  const VitOptions options_;
  at::Tensor class_token_;
  torch::nn::Conv2d conv_proj_{nullptr};
  std::shared_ptr<VitEncoderImpl> encoder_;
};
TORCH_MODULE(Vit);

// A float32 network on the CPU, in training mode. Its values are drawn from
// torch's global generator: torch::manual_seed decides every one.
// Errors: kInvalidArgument if a value is not positive, width is not a multiple
// of heads, or image_size not one of patch_size.
absl::StatusOr<Vit> MakeVit(const VitOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_VIT_H_
