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

// torch::nn's, except after SynchronizeBatchNorm and within BatchOfViews.
// Training uses fused_batch_norm.h where that can, which rounds differently.
class BatchNorm1dImpl : public torch::nn::BatchNorm1dImpl {
 public:
  using torch::nn::BatchNorm1dImpl::BatchNorm1dImpl;

  // [N, C] or [N, C, L], of the parameters' type or, in autocast, of 16 bits.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual.
  at::Tensor ForwardRelu(const at::Tensor& x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm1d);

class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;

  // [N, C, H, W], of the parameters' type or, in autocast, of 16 bits.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual.
  at::Tensor ForwardRelu(const at::Tensor& x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm2d);

// From now on every BatchNorm in `module` normalizes, in training mode, with
// the statistics of all parts together, and its running statistics and the
// gradient of its input are those of the whole batch (as torch.nn.SyncBatchNorm
// has it). Gradients of its own parameters are the part's: whoever sums or
// averages gradients does so with these, too. Each forward and each backward
// pass of each BatchNorm calls Gather, with 2 C float64 for each view: once for
// all views where fused_batch_norm.h computes it. The parts are of one size.
// `parts` must outlive the module's use.
void SynchronizeBatchNorm(torch::nn::Module& module, BatchParts* parts);

// While it exists, a training batch consists of `views` batches of equal size,
// concatenated in dimension 0. Every BatchNorm in `module` normalizes each with
// its own statistics and updates its running statistics with each in order.
// Results, gradients and buffers equal those of `views` forward passes, to
// rounding, if the rest of the network treats images independently. Evaluation
// mode is unaffected. A module may have one at a time. forward() throws
// c10::ValueError if `views` does not divide dimension 0.
class BatchOfViews {
 public:
  BatchOfViews(torch::nn::Module& module, int64_t views);
  ~BatchOfViews();
  BatchOfViews(const BatchOfViews&) = delete;
  BatchOfViews& operator=(const BatchOfViews&) = delete;

 private:
  torch::nn::Module& module_;
};

}  // namespace gsg

#endif  // GSG_MODELS_BATCH_NORM_H_
