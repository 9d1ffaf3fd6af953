// What batch normalisation asks of tensors, wherever it is computed.

#ifndef GSG_MODELS_INTERNAL_BATCH_ROWS_H_
#define GSG_MODELS_INTERNAL_BATCH_ROWS_H_

#include "ATen/core/Tensor.h"
#include "c10/core/MemoryFormat.h"
#include "models/fused_batch_norm.h"

namespace gsg::internal {

// Is x in memory as rows of channels, a whole number of views with more than
// one value a channel each, and do the other tensors go with it?
inline bool ShapesFit(const at::Tensor& x, const FusedBatchNorm& options) {
  const bool rows =
      x.dim() == 2
          ? x.is_contiguous()
          : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return rows && options.running_mean.defined() &&
         options.running_var.defined() &&
         options.weight.defined() == options.bias.defined() &&
         x.size(1) == options.running_mean.numel() &&
         x.size(0) % options.views == 0 &&
         x.numel() > x.size(1) * options.views &&
         (!options.residual.defined() || options.residual.sizes() == x.sizes());
}

inline at::Tensor LaidOutLike(const at::Tensor& tensor, const at::Tensor& x) {
  return tensor.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast
                                        : at::MemoryFormat::Contiguous);
}

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_BATCH_ROWS_H_
