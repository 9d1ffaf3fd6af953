#include "models/device_batch_norm.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "absl/status/status.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "cuda/batch_norm.h"
#include "gsg_core/half.h"
#include "models/fused_batch_norm.h"
#include "models/gpu/current_stream.h"
#include "models/internal/batch_rows.h"
#include "torch/csrc/autograd/custom_function.h"

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

using internal::In;
using internal::Out;

cuda::BatchNormShape ShapeOf(const at::Tensor& x, int64_t views) {
  cuda::BatchNormShape shape;
  shape.views = views;
  shape.channels = x.size(1);
  shape.rows = x.numel() / shape.channels / views;
  return shape;
}

template <typename F>
void WithKernel(const BatchNormKernels& kernels, c10::ScalarType type,
                const F& f) {
  const absl::Status status = type == c10::kHalf       ? f(kernels.of_half)
                              : type == c10::kBFloat16 ? f(kernels.of_bfloat16)
                                                       : f(kernels.of_float);
  TORCH_CHECK(status.ok(), std::string(status.message()));
}

at::Tensor Workspace(const cuda::BatchNormShape& shape, const at::Tensor& x) {
  return at::empty({static_cast<int64_t>(cuda::BatchNormWorkspaceBytes(shape))},
                   x.options().dtype(c10::kByte));
}

class FusedOnDevice : public torch::autograd::Function<FusedOnDevice> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x,
                            const std::optional<at::Tensor>& residual,
                            const std::optional<at::Tensor>& weight,
                            const std::optional<at::Tensor>& bias,
                            const FusedBatchNorm& options,
                            const BatchNormKernels* kernels,
                            bool has_backward) {
    const cuda::BatchNormShape shape = ShapeOf(x, options.views);
    const at::TensorOptions floats = x.options().dtype(c10::kFloat);
    const at::Tensor y = at::empty_like(x);
    const at::Tensor means =
        at::empty({2, shape.views, shape.channels}, floats);
    const at::Tensor workspace = Workspace(shape, x);
    at::Tensor positive, added;
    if (residual.has_value()) added = internal::LaidOutLike(*residual, x);
    WithKernel(*kernels, x.scalar_type(), [&](const auto& kernel) {
      using T = ElementOf<decltype(kernel)>;
      if (options.relu && has_backward) {
        positive = at::empty(
            {static_cast<int64_t>(cuda::BatchNormMaskBytes<T>(shape))},
            x.options().dtype(c10::kByte));
      }
      cuda::BatchNormForward<T> f;
      f.x = In<T>(x);
      f.residual = In<T>(added);
      f.weight = In<float>(weight.value_or(at::Tensor()));
      f.bias = In<float>(bias.value_or(at::Tensor()));
      f.eps = static_cast<float>(options.eps);
      f.relu = options.relu;
      f.running_mean = Out<float>(options.running_mean);
      f.running_var = Out<float>(options.running_var);
      f.momentum = static_cast<float>(options.momentum);
      f.batches = Out<int64_t>(options.batches);
      f.y = Out<T>(y);
      f.mean = Out<float>(means);
      f.inverse_std = f.mean + shape.views * shape.channels;
      f.positive = Out<uint8_t>(positive);
      f.workspace = workspace.mutable_data_ptr();
      return kernel.forward(shape, f, CurrentStream(x.device()));
    });
    ctx->save_for_backward({x, weight.value_or(at::Tensor()), means, positive});
    ctx->saved_data["views"] = shape.views;
    ctx->saved_data["residual"] = residual.has_value();
    ctx->saved_data["kernels"] = reinterpret_cast<int64_t>(kernels);
    return y;
  }

  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& means = saved[2];
    const at::Tensor& positive = saved[3];
    const auto& kernels = *reinterpret_cast<const BatchNormKernels*>(
        ctx->saved_data["kernels"].toInt());
    const cuda::BatchNormShape shape =
        ShapeOf(x, ctx->saved_data["views"].toInt());
    const at::Tensor dy = internal::LaidOutLike(gradients[0], x);
    const at::Tensor dx = at::empty_like(x);
    const at::Tensor workspace = Workspace(shape, x);
    // Without a relu it is dy.
    at::Tensor dresidual;
    if (ctx->saved_data["residual"].toBool()) {
      dresidual = positive.defined() ? at::empty_like(x) : dy;
    }
    at::Tensor dweight, dbias;
    if (weight.defined()) {
      dweight = at::empty_like(weight);
      dbias = at::empty_like(weight);
    }
    WithKernel(kernels, x.scalar_type(), [&](const auto& kernel) {
      using T = ElementOf<decltype(kernel)>;
      cuda::BatchNormBackward<T> b;
      b.dy = In<T>(dy);
      b.x = In<T>(x);
      b.weight = In<float>(weight);
      b.mean = In<float>(means);
      b.inverse_std = b.mean + shape.views * shape.channels;
      b.positive = In<uint8_t>(positive);
      b.dx = Out<T>(dx);
      if (positive.defined()) b.dresidual = Out<T>(dresidual);
      b.dweight = Out<float>(dweight);
      b.dbias = Out<float>(dbias);
      b.workspace = workspace.mutable_data_ptr();
      return kernel.backward(shape, b, CurrentStream(x.device()));
    });
    const at::Tensor none;
    return {dx, dresidual, dweight, dbias, none, none, none};
  }

 private:
  template <typename T>
  static T ElementOfKernel(const BatchNormKernel<T>&);
  template <typename Kernel>
  using ElementOf = decltype(ElementOfKernel(std::declval<Kernel>()));
};

bool Aligned(const at::Tensor& tensor) {
  return reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % 16 == 0;
}

}  // namespace

bool KernelsTake(const at::Tensor& x, const FusedBatchNorm& options) {
  const c10::ScalarType type = x.scalar_type();
  if (type != c10::kFloat && type != c10::kHalf && type != c10::kBFloat16) {
    return false;
  }
  return internal::TensorsFit(x, options) &&
         internal::HasStatistics(x, options) &&
         x.size(1) * static_cast<int64_t>(x.element_size()) % 16 == 0 &&
         Aligned(x) &&
         (!options.residual.defined() || Aligned(options.residual));
}

at::Tensor NormalizeBatchBy(const BatchNormKernels& kernels,
                            const at::Tensor& x,
                            const FusedBatchNorm& options) {
  TORCH_INTERNAL_ASSERT(KernelsTake(x, options));
  // Within a Function's forward it is off.
  return FusedOnDevice::apply(x, internal::IfDefined(options.residual),
                              internal::IfDefined(options.weight),
                              internal::IfDefined(options.bias), options,
                              &kernels, at::GradMode::is_enabled());
}

}  // namespace gsg
