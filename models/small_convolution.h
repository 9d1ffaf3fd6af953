// Convolution of small images on the CPU, as products of matrices.

#ifndef GSG_MODELS_SMALL_CONVOLUTION_H_
#define GSG_MODELS_SMALL_CONVOLUTION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace gsg {

// The square convolutions of a ResNet.
struct ConvolutionShape {
  int64_t stride = 1;
  int64_t padding = 0;
};

// Can, and will ConvolveSmall be faster than at::conv2d and Convolve3x3? On the
// CPU for batches of images that become at most 4x4 pixels in bfloat16, in
// float32 at most 5x5 with a stride and 3x3 without.
bool ProductsPay(const at::Tensor& x, const at::Tensor& weight,
                 const ConvolutionShape& shape);

// at::conv2d(x, weight) without a bias. A kernel of 3x3 with padding 1 meets
// four pixels wherever it lies on an image of 2x2, so that five ninths of
// at::conv2d's multiplications are by zeros; here none are. In float32 an
// output pixel of all images is a sum of products of matrices, one for each tap
// that meets a pixel (internal/convolution_kernels.h). In bfloat16, where such
// sums would be rounded one by one, the pixels under a kernel are copied
// together, and make one product. Differentiable once, in both. x: [N, I, H,
// W], weight: [O, I, K, K], float32 or bfloat16 on the CPU, of one type.
// Returns [N, O, H', W'] in channels-last, as both are best given.
// Deterministic; in bfloat16 for a number of threads (at::get_num_threads).
at::Tensor ConvolveSmall(const at::Tensor& x, const at::Tensor& weight,
                         const ConvolutionShape& shape);

}  // namespace gsg

#endif  // GSG_MODELS_SMALL_CONVOLUTION_H_
