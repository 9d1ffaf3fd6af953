#include "trainers/programs/torch_product.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <cstdint>

#include "models/linear.h"
#include "trainers/explore/features.h"

namespace gsg {

Product TorchProduct() {
  return [](const float* a, int64_t m, const float* b, int64_t n, int64_t d,
            float* c) {
    const at::NoGradGuard no_grad;
    // from_blob takes pointers to what may change; mm_out reads them only.
    const at::Tensor left = at::from_blob(const_cast<float*>(a), {m, d});
    const at::Tensor right = at::from_blob(const_cast<float*>(b), {n, d});
    at::Tensor out = at::from_blob(c, {m, n});
    out.copy_(ApplyLinear(left, right, /*bias=*/{}));
  };
}

}  // namespace gsg
