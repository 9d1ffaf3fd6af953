#include "models/linear.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "ATen/autocast_mode.h"
#include "ATen/core/List.h"
#include "ATen/core/Tensor.h"
#include "ATen/core/dispatch/Dispatcher.h"
#include "ATen/ops/linear.h"
#include "c10/core/Device.h"
#include "c10/core/Scalar.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "c10/util/string_view.h"
#include "torch/csrc/autograd/custom_function.h"

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

// The operator by which torch.compile calls oneDNN: X W^T + B. Has no gradient.
using Product = at::Tensor(const at::Tensor&, const at::Tensor&,
                           const std::optional<at::Tensor>&,
                           c10::string_view attr,
                           c10::List<std::optional<c10::Scalar>> scalars,
                           std::optional<c10::string_view> algorithm);

// Nothing in a LibTorch without oneDNN.
const std::optional<c10::TypedOperatorHandle<Product>>& OnednnProduct() {
  static const auto product =
      []() -> std::optional<c10::TypedOperatorHandle<Product>> {
    const auto found = c10::Dispatcher::singleton().findSchema(
        {"mkldnn::_linear_pointwise", ""});
    if (!found.has_value()) return std::nullopt;
    return found->typed<Product>();
  }();
  return product;
}

// a b^T + bias, of matrices in any layout.
at::Tensor Multiply(const at::Tensor& a, const at::Tensor& b,
                    const std::optional<at::Tensor>& bias = std::nullopt) {
  return OnednnProduct()->call(a, b, bias, /*attr=*/"none",
                               c10::List<std::optional<c10::Scalar>>(),
                               /*algorithm=*/"");
}

class ByOnednn : public torch::autograd::Function<ByOnednn> {
 public:
  // x: [N, I]
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x,
                            const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    ctx->save_for_backward({x, weight});
    ctx->saved_data["bias"] = bias.has_value();
    return Multiply(x, weight, bias);
  }

  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &dy = gradients[0];
    at::Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) dx = Multiply(dy, weight.t());
    if (ctx->needs_input_grad(1)) {
      // oneDNN turns the first side. That had better be the narrower one, if
      // the rows are many: the result is to be turned, too.
      constexpr int64_t kManyRows = 1024;
      dweight = weight.size(0) > weight.size(1) && x.size(0) >= kManyRows
                    ? Multiply(x.t(), dy.t()).t()
                    : Multiply(dy.t(), x.t());
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) {
      dbias = dy.sum(0);
    }
    return {dx, dweight, dbias};
  }
};

bool CanMultiply(const at::Tensor& x, const at::Tensor& weight) {
  for (const at::Tensor* tensor : {&x, &weight}) {
    if (!tensor->device().is_cpu() || tensor->scalar_type() != c10::kFloat ||
        tensor->numel() == 0) {
      return false;
    }
  }
  return x.dim() >= 1 && weight.dim() == 2 && x.size(-1) == weight.size(1) &&
         OnednnProduct().has_value();
}

// Has MKL kernels for all that this processor can?
bool MklKnowsProcessor() {
#if defined(__x86_64__)
  return __builtin_cpu_is("intel") || !__builtin_cpu_supports("avx512f");
#else
  return true;
#endif
}

}  // namespace

bool OnednnPays(const at::Tensor& x, const at::Tensor& weight) {
  static const bool mkl = MklKnowsProcessor();
  return !mkl && CanMultiply(x, weight);
}

at::Tensor LinearByOnednn(const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& bias) {
  TORCH_CHECK_VALUE(CanMultiply(x, weight),
                    "LinearByOnednn takes float32 on the CPU, [..., I] and "
                    "[O, I], in a LibTorch with oneDNN; got ",
                    x.sizes(), " and ", weight.sizes(), " of ", x.scalar_type(),
                    " and ", weight.scalar_type());
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = weight.size(0);
  return ByOnednn::apply(x.reshape({-1, weight.size(1)}), weight,
                         bias.defined() ? std::optional(bias) : std::nullopt)
      .view(sizes);
}

at::Tensor ApplyLinear(const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& bias) {
  // What autocast computes is not of float32.
  if (at::autocast::is_autocast_enabled(at::kCPU) || !OnednnPays(x, weight)) {
    return at::linear(x, weight, bias);
  }
  return LinearByOnednn(x, weight, bias);
}

}  // namespace gsg
