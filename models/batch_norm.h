// Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) whose batch may be
// spread over several processes, or be several batches at once.

#ifndef GSG_MODELS_BATCH_NORM_H_
#define GSG_MODELS_BATCH_NORM_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "torch/nn/module.h"
#include "torch/nn/modules/batchnorm.h"
#include "torch/nn/pimpl.h"

namespace gsg {

// The parts of a batch, each in a process of its own.
class BatchParts {
 public:
  virtual ~BatchParts() = default;

  // Each part's tensor, of one shape and type: [parts, ...]. All parts call
  // this the same number of times, in the same order. May throw.
  virtual at::Tensor Gather(const at::Tensor& mine) = 0;
};

// How the batches lie that a BatchNorm is trained with.
struct BatchLayout {
  BatchParts* parts = nullptr;  // null: in this process alone
  int64_t views = 1;
};

// torch::nn's, until SynchronizeBatchNorm and within BatchOfViews; on the CPU
// in float32 and training by fused_batch_norm.h, which rounds otherwise.
class BatchNorm1dImpl : public torch::nn::BatchNorm1dImpl {
 public:
  using torch::nn::BatchNorm1dImpl::BatchNorm1dImpl;

  // [N, C] or [N, C, L], of the parameters' type.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual.
  at::Tensor ForwardRelu(const at::Tensor& x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm1d);

class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;

  // [N, C, H, W], of the parameters' type.
  at::Tensor forward(const at::Tensor& x);
  // relu(forward(x) + residual), without an undefined residual.
  at::Tensor ForwardRelu(const at::Tensor& x, const at::Tensor& residual = {});

  BatchLayout layout;
};
TORCH_MODULE(BatchNorm2d);

// From now on every BatchNorm in `module` normalises, in training mode, with
// the statistics of all parts together, and its running statistics and the
// gradient of its input are those of the whole batch (as torch.nn.SyncBatchNorm
// has it). Gradients of its own parameters are the part's: whoever sums or
// averages gradients does so with these, too. Each forward and each backward
// pass of each BatchNorm calls Gather once, with 2 C values. The parts are of
// one size. `parts` must outlive the module's use.
void SynchronizeBatchNorm(torch::nn::Module& module, BatchParts* parts);

// While it lives, a training batch is `views` batches of one size, one behind
// the other in dimension 0. Every BatchNorm in `module` normalises each with
// its own statistics and takes them into its running statistics one after the
// other: results, gradients and buffers are those of `views` forward passes, to
// rounding, where the rest of the network treats images one by one. In
// evaluation mode nothing changes. Of one module, one at a time.
// forward() throws c10::ValueError if `views` does not divide dimension 0.
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
