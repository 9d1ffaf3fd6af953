// Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) whose batch may be
// spread over several processes.

#ifndef GSG_MODELS_BATCH_NORM_H_
#define GSG_MODELS_BATCH_NORM_H_

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

// torch::nn's, until SynchronizeBatchNorm.
class BatchNorm1dImpl : public torch::nn::BatchNorm1dImpl {
 public:
  using torch::nn::BatchNorm1dImpl::BatchNorm1dImpl;

  // [N, C] or [N, C, L], of the parameters' type.
  at::Tensor forward(const at::Tensor& x);

 private:
  friend void SynchronizeBatchNorm(torch::nn::Module& module,
                                   BatchParts* parts);
  BatchParts* parts_ = nullptr;
};
TORCH_MODULE(BatchNorm1d);

class BatchNorm2dImpl : public torch::nn::BatchNorm2dImpl {
 public:
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;

  // [N, C, H, W], of the parameters' type.
  at::Tensor forward(const at::Tensor& x);

 private:
  friend void SynchronizeBatchNorm(torch::nn::Module& module,
                                   BatchParts* parts);
  BatchParts* parts_ = nullptr;
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

}  // namespace gsg

#endif  // GSG_MODELS_BATCH_NORM_H_
