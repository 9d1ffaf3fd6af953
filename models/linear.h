// Products with a matrix of weights, faster than torch's on some processors.

#ifndef GSG_MODELS_LINEAR_H_
#define GSG_MODELS_LINEAR_H_

#include "ATen/core/Tensor.h"

namespace gsg {

// Can oneDNN multiply these, and faster than at::linear's MKL? In float32 on
// processors with AVX-512 that are not Intel's: there MKL has its AVX2 kernels
// alone, and mostly takes twice as long.
bool OnednnPays(const at::Tensor& x, const at::Tensor& weight);

// at::linear(x, weight, bias) = x weight^T + bias by oneDNN. Differentiable
// once. x: [..., I], weight: [O, I], bias: [O] or undefined, float32 on the
// CPU, none of them empty. Returns [..., O].
at::Tensor LinearByOnednn(const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& bias);

// at::linear(x, weight, bias), by oneDNN where that pays. Under autocast it is
// always torch's.
at::Tensor ApplyLinear(const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& bias);

}  // namespace gsg

#endif  // GSG_MODELS_LINEAR_H_
