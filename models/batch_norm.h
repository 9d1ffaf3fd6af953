// Batch normalization (Ioffe and Szegedy, arXiv 1502.03167). The batch may be
// spread over several processes, or consist of several views with separate
// statistics.

#ifndef GSG_MODELS_BATCH_NORM_H_
#define GSG_MODELS_BATCH_NORM_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "models/batch_parts.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/batchnorm.h"
#include "torch/nn/pimpl.h"

namespace gsg {

// Layout of a training batch.
struct BatchLayout {
  BatchParts* parts = nullptr;  // null: all of it is in this process
  int64_t views = 1;            // equal pieces with statistics of their own
};

// torch::nn's, except after SynchronizeBatchNorm and within BatchOfViews
// (batch_statistics.h).
// Uses fused_batch_norm.h where that can, which rounds differently.
class BatchNorm1dImpl : public torch::nn::BatchNorm1dImpl {
 public:
  using torch::nn::BatchNorm1dImpl::BatchNorm1dImpl;

  // [N, C] or [N, C, L], of the parameters' type or, in autocast, of 16 bits.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual. An x that is
  // moved here may become the result.
  at::Tensor ForwardRelu(at::Tensor x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm1d);

class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;

  // [N, C, H, W], of the parameters' type or, in autocast, of 16 bits.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual. An x that is
  // moved here may become the result.
  at::Tensor ForwardRelu(at::Tensor x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm2d);

}  // namespace gsg

#endif  // GSG_MODELS_BATCH_NORM_H_
