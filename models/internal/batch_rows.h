// What batch normalization asks of tensors, wherever it is computed.

#ifndef GSG_MODELS_INTERNAL_BATCH_ROWS_H_
#define GSG_MODELS_INTERNAL_BATCH_ROWS_H_

#include <optional>

#include "ATen/core/Tensor.h"
#include "c10/core/MemoryFormat.h"
#include "c10/core/ScalarType.h"
#include "models/fused_batch_norm.h"

namespace gsg::internal {

// For a torch::autograd::Function, which takes no undefined tensors.
inline std::optional<at::Tensor> IfDefined(const at::Tensor& tensor) {
  if (!tensor.defined()) return std::nullopt;
  return tensor;
}

// Is x in memory as rows of channels, and do the other tensors go with it? The
// residual has x's type, the others are float32.
inline bool TensorsFit(const at::Tensor& x, const FusedBatchNorm& options) {
  for (const at::Tensor& tensor : {options.weight, options.bias,
                                   options.running_mean, options.running_var}) {
    if (tensor.defined() && tensor.scalar_type() != c10::kFloat) return false;
  }
  const bool rows =
      x.dim() == 2
          ? x.is_contiguous()
          : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
  return rows && options.running_mean.defined() &&
         options.running_var.defined() &&
         options.weight.defined() == options.bias.defined() &&
         x.size(1) == options.running_mean.numel() &&
         (!options.residual.defined() ||
          (options.residual.sizes() == x.sizes() &&
           options.residual.scalar_type() == x.scalar_type()));
}

// A whole number of views with more than one value a channel each?
inline bool HasStatistics(const at::Tensor& x, const FusedBatchNorm& options) {
  return x.size(0) % options.views == 0 &&
         x.numel() > x.size(1) * options.views;
}

// Elements of a T that torch has another name for; null of an undefined tensor.
template <typename T>
const T* In(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<const T*>(tensor.const_data_ptr())
                          : nullptr;
}

template <typename T>
T* Out(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.mutable_data_ptr())
                          : nullptr;
}

inline at::Tensor LaidOutLike(const at::Tensor& tensor, const at::Tensor& x) {
  return tensor.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast
                                        : at::MemoryFormat::Contiguous);
}

}  // namespace gsg::internal

#endif  // GSG_MODELS_INTERNAL_BATCH_ROWS_H_
