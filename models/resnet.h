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
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/batch_norm.h"
#include "models/convolution.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/container/sequential.h"
#include "torch/nn/pimpl.h"

namespace gsg {

class ResNetImpl : public torch::nn::Module, public Backbone {
 public:
  // Returns the last stage's global average.
  at::Tensor forward(const at::Tensor& x) override;
  int64_t feature_dim() const override { return feature_dim_; }
  torch::nn::Module& module() override { return *this; }

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
