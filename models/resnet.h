// ResNet backbones without the classifier.
//
// He et al., arXiv 1512.03385; the bottleneck's stride is on its 3x3
// convolution ("v1.5"). Names, shapes and order of parameters and buffers are
// those of torchvision.models.resnet without "fc", so that weights travel both
// ways.

#ifndef GSG_MODELS_RESNET_H_
#define GSG_MODELS_RESNET_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "models/backbone.h"
#include "models/batch_norm.h"
#include "models/convolution.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/pimpl.h"

namespace gsg {

struct ResNetOptions {
  enum class Block {
    kBasic,       // 3x3, 3x3
    kBottleneck,  // 1x1, 3x3, 1x1 to four times the width
  };
  enum class Stem {
    kImageNet,      // 7x7 stride 2, 3x3 max-pool stride 2
    kSmall,         // 3x3 stride 1 (CIFAR, 32x32)
    kSmallStride2,  // 3x3 stride 2
  };

  Block block = Block::kBasic;
  // One entry per stage.
  std::vector<int64_t> blocks;
  std::vector<int64_t> widths;   // channels, before the bottleneck's expansion
  std::vector<int64_t> strides;  // of the stage's first block
  // Widens the inner convolutions of a bottleneck (Zagoruyko and Komodakis,
  // arXiv 1605.07146): torchvision's width_per_group / 64.
  int64_t inner_factor = 1;
  Stem stem = Stem::kImageNet;
  int64_t in_channels = 3;
  // Zeroes the scale of each block's last BatchNorm, so that the residual
  // branches start at 0 (Goyal et al., arXiv 1706.02677, section 5.1).
  bool zero_init_residual = false;
};

// The named architecture: "resnet18", "resnet34", "resnet50", "resnet101",
// "wide_resnet50_2", or "resnet_small", a thin one-block-per-stage network
// meant for Stem::kSmallStride2 on 28x28 images. Errors: kInvalidArgument for
// another name.
absl::StatusOr<ResNetOptions> ResNetOptionsFor(absl::string_view name,
                                               ResNetOptions::Stem stem,
                                               int64_t in_channels = 3);

class ResNetImpl : public Backbone {
 public:
  // Returns the last stage's global average.
  at::Tensor forward(const at::Tensor& x) override;
  int64_t feature_dim() const override { return feature_dim_; }

 private:
  friend absl::StatusOr<class ResNet> MakeResNet(const ResNetOptions& options);
  explicit ResNetImpl(const ResNetOptions& options);

  int64_t feature_dim_;
  bool max_pool_;
  Conv2d conv1_{nullptr};
  BatchNorm2d bn1_{nullptr};
  std::vector<torch::nn::Sequential> stages_;
};
TORCH_MODULE(ResNet);

// A float32 network on the CPU, in training mode. Convolutions start
// Kaiming-normal (fan-out), BatchNorm at scale 1 and shift 0, drawn from
// torch's global generator: torch::manual_seed decides every value.
// Errors: kInvalidArgument if the per-stage vectors are empty or differ in
// length, or a count, width or stride is not positive.
absl::StatusOr<ResNet> MakeResNet(const ResNetOptions& options);

}  // namespace gsg

#endif  // GSG_MODELS_RESNET_H_
