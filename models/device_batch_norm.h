// FusedBatchNorm by kernels that run where the tensors are.

#ifndef GSG_MODELS_DEVICE_BATCH_NORM_H_
#define GSG_MODELS_DEVICE_BATCH_NORM_H_

#include "ATen/core/Tensor.h"
#include "models/fused_batch_norm.h"
#include "models/gpu/gpu.h"

namespace gsg {

// Do the kernels take them? x and residual of one type of 16 or 32 bits, on a
// multiple of 16 bytes, with a multiple of so many bytes of channels; the other
// tensors float32; what CanFuse asks of shapes and layouts.
bool KernelsTake(const at::Tensor& x, const FusedBatchNorm& options);

// NormalizeBatch of what KernelsTake, launched on the current stream of its
// device. Nothing waits for it, and a CUDA graph can record it. Throws
// c10::Error if a launch fails.
at::Tensor NormalizeBatchBy(const BatchNormKernels& kernels,
                            const at::Tensor& x, const FusedBatchNorm& options);

}  // namespace gsg

#endif  // GSG_MODELS_DEVICE_BATCH_NORM_H_
