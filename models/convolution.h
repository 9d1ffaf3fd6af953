// Convolution of images, faster than torch's on the CPU where there is a way.

#ifndef GSG_MODELS_CONVOLUTION_H_
#define GSG_MODELS_CONVOLUTION_H_

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

// torch::nn's, whose forward() takes Convolve3x3 where it pays.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;
  at::Tensor forward(const at::Tensor& x);
};
TORCH_MODULE(Conv2d);

}  // namespace gsg

#endif  // GSG_MODELS_CONVOLUTION_H_
