// Vision Transformer backbones without the classifier.
//
// Dosovitskiy et al., arXiv 2010.11929. Names, shapes and order of parameters
// are those of torchvision.models.VisionTransformer without "heads", and so are
// their first values, so that weights travel both ways.

#ifndef GSG_MODELS_VIT_H_
#define GSG_MODELS_VIT_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/backbone.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/modules/normalization.h"
#include "torch/nn/pimpl.h"

namespace gsg {

struct VitOptions {
  int64_t image_size = 224;  // side that the position embeddings are sized for
  int64_t patch_size = 16;   // pixels
  int64_t layers = 12;
  int64_t heads = 3;
  int64_t width = 192;      // of a token
  int64_t mlp_width = 768;  // of the hidden layer
  int64_t in_channels = 3;
};

// The named architecture: "vit_tiny" (192 wide, 3 heads), "vit_small" (384, 6
// heads) or "vit_base" (768, 12 heads), all with 12 layers: DeiT-Ti, -S and -B
// (Touvron et al., arXiv 2012.12877, table 1).
// Errors: kInvalidArgument for another name.
absl::StatusOr<VitOptions> VitOptionsFor(absl::string_view name,
                                         int64_t image_size, int64_t patch_size,
                                         int64_t in_channels = 3);

class VitEncoderImpl;

class VitImpl : public Backbone {
 public:
  // Returns the class token behind the last LayerNorm, as DINO and MoCo v3
  // take it. Images of another size than options.image_size get position
  // embeddings interpolated from the square grid of those that are there:
  // bicubic, with the corners kept, as torchvision's interpolate_embeddings.
  at::Tensor forward(const at::Tensor& x) override;
  int64_t feature_dim() const override { return options_.width; }
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
