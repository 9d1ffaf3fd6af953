// What the rest asks of a backbone: the network from images to features.

#ifndef GSG_MODELS_BACKBONE_H_
#define GSG_MODELS_BACKBONE_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "models/module_state.h"

namespace gsg {

class Backbone {
 public:
  virtual ~Backbone() = default;

  // x: [B, C, H, W], of the parameters' dtype and device.
  // Returns [B, feature_dim()].
  // Throws c10::ValueError for another number of dimensions or channels, and
  // for a size that CheckImageSize refuses.
  virtual at::Tensor forward(const at::Tensor& x) = 0;

  virtual int64_t feature_dim() const = 0;

  // Does forward() take images of this size? Any, unless a network says
  // otherwise.
  // Errors: kInvalidArgument saying which sizes it takes.
  virtual absl::Status CheckImageSize(int64_t height, int64_t width) const {
    (void)height;
    (void)width;
    return absl::OkStatus();
  }

  // Its parameters, buffers and mode, for module_state.h.
  virtual torch::nn::Module& module() = 0;
};

}  // namespace gsg

#endif  // GSG_MODELS_BACKBONE_H_
