// Batch normalization with what mostly follows it: in training in two passes
// over memory forward and two backward, in evaluation in one.

#ifndef GSG_MODELS_FUSED_BATCH_NORM_H_
#define GSG_MODELS_FUSED_BATCH_NORM_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "models/batch_parts.h"

namespace gsg {

// The tensors but the running statistics may be undefined: weight and bias mean
// 1 and 0, no residual is added, nothing is counted.
struct FusedBatchNorm {
  at::Tensor weight, bias;               // [C]
  at::Tensor running_mean, running_var;  // [C], updated
  at::Tensor batches;                    // [] int64, to which views are added
  double momentum = 0.1;
  double eps = 1e-5;
  int64_t views = 1;    // that x consists of, see BatchOfViews
  at::Tensor residual;  // of x's shape
  bool relu = false;
  BatchParts* parts = nullptr;  // of which x is one; null: x is all of it
};

// Does it take them? float32 or bfloat16 on the CPU with C a multiple of 8, or
// on a GPU in builds with --config=cuda what KernelsTake (device_batch_norm.h),
// of a batch that is no part of one; images in channels-last, a whole number of
// views with more than one value a channel each.
bool CanFuse(const at::Tensor& x, const FusedBatchNorm& options);

// x: [N, C] or [N, C, H, W]. Returns relu(batch_norm(x) + residual) with the
// statistics of each view, differentiable once in x, residual, weight and bias;
// running statistics as torch's, view after view. The sums are taken block by
// block and these added in float64, in an order that does not depend on the
// number of threads. Statistics, and the sums in x's gradient, are those of all
// parts, for which forward and backward call Gather once each (batch_parts.h).
// Requires CanFuse.
at::Tensor NormalizeBatch(const at::Tensor& x, const FusedBatchNorm& options);

// Does EvaluateBatchNorm take them? On the CPU what CanFuse says of one view,
// of any number of rows, where no gradient is asked for.
bool CanEvaluate(const at::Tensor& x, const FusedBatchNorm& options);

// relu(batch_norm(x) + residual) with the running statistics, which stay, as
// torch's in evaluation mode. The result lies in x's memory if nobody else
// holds that. Requires CanEvaluate.
at::Tensor EvaluateBatchNorm(at::Tensor x, const FusedBatchNorm& options);

}  // namespace gsg

#endif  // GSG_MODELS_FUSED_BATCH_NORM_H_
