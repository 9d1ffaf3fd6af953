// Convolution of images, faster than torch's on the CPU where there is a way.

#ifndef GSG_MODELS_CONVOLUTION_H_
#define GSG_MODELS_CONVOLUTION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "torch/nn/modules/conv.h"
#include "torch/nn/pimpl.h"

namespace gsg {

// Can, and will Convolve3x3 be faster than at::conv2d? On the CPU in float32,
// with channels in multiples of 16 and enough pixels.
bool WinogradPays(const at::Tensor& x, const at::Tensor& weight);

// at::conv2d(x, weight) with stride 1 and padding 1 by Winograd's algorithm
// (internal/winograd_kernels.h), which takes a quarter of the multiplications.
// Differentiable once, in both. Its rounding errors are about ten times those
// of the plain sum, some 1e-6 of the largest values. x: [N, I, H, W] and
// weight: [O, I, 3, 3] float32 on the CPU, I and O multiples of 16. Returns [N,
// O, H, W] in channels-last, as both are best given. Deterministic for a number
// of threads (at::get_num_threads).
at::Tensor Convolve3x3(const at::Tensor& x, const at::Tensor& weight);

// at::conv2d(x, weight) without a bias, with channels of zeros behind those of
// both up to a multiple of kTensorCoreChannels: cuDNN has fast kernels in 16
// bits for these alone. (The gradient of a weight with three took an H200 0.3
// of the 11.7 ms of a step of CIFAR-10's ResNet-18.)
inline constexpr int64_t kTensorCoreChannels = 8;
at::Tensor ConvolvePadded(const at::Tensor& x, const at::Tensor& weight,
                          at::IntArrayRef stride, at::IntArrayRef padding,
                          at::IntArrayRef dilation);

// torch::nn's, whose forward() takes ConvolveSmall (small_convolution.h),
// Convolve3x3 and ConvolvePadded where they pay.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;
  at::Tensor forward(const at::Tensor& x);
};
TORCH_MODULE(Conv2d);

}  // namespace gsg

#endif  // GSG_MODELS_CONVOLUTION_H_
