// Whose statistics the BatchNorms of a network normalize with.

#ifndef GSG_MODELS_BATCH_STATISTICS_H_
#define GSG_MODELS_BATCH_STATISTICS_H_

#include <cstdint>

#include "models/batch_parts.h"
#include "models/module_state.h"

namespace gsg {

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

#endif  // GSG_MODELS_BATCH_STATISTICS_H_
