#include "models/batch_norm.h"

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/addcmul.h"
#include "ATen/ops/batch_norm_update_stats.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/native_batch_norm.h"
#include "ATen/ops/native_batch_norm_backward.h"
#include "ATen/ops/ones_like.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros_like.h"
#include "c10/core/ScalarType.h"
#include "c10/util/Exception.h"
#include "models/batch_parts.h"
#include "models/batch_statistics.h"
#include "models/fused_batch_norm.h"
#include "models/threads_apart.h"
#include "torch/csrc/autograd/custom_function.h"
#include "torch/nn/functional/batchnorm.h"
#include "torch/nn/module.h"
#include "torch/nn/options/batchnorm.h"

namespace gsg {
namespace {

using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

// Mean and variance (divisor: the number of values) of each channel.
struct Statistics {
  at::Tensor mean, var;  // [C] float64
  int64_t count = 0;     // values of a channel
};

// Those of the whole batch from those of its parts, which are of one size:
//   mean = avg mean_r;  var = avg (var_r + (mean_r - mean)^2),
// without the cancellation of E[x^2] - E[x]^2 (Chan, Golub and LeVeque, 1979).
// `like`: of the parameters' type, which x of 16 bits is not.
Statistics OfAllParts(const at::Tensor& x, const at::Tensor& like,
                      BatchParts& parts) {
  // Given running statistics, even if they stay as they are, the CPU's operator
  // computes in their type.
  const auto [mean, var] = at::batch_norm_update_stats(
      x, at::zeros_like(like), at::ones_like(like), /*momentum=*/0);
  const at::Tensor all =
      parts.Gather(at::stack({mean.to(c10::kDouble), var.to(c10::kDouble)}));
  const at::Tensor means = all.select(1, 0);
  Statistics whole;
  whole.count = all.size(0) * (x.numel() / x.size(1));
  whole.mean = means.mean(0);
  whole.var = all.select(1, 1).add(means.sub(whole.mean).square_()).mean(0);
  return whole;
}

// [C] -> [1, C, 1, ...], to go with x.
at::Tensor ForChannels(const at::Tensor& values, const at::Tensor& x) {
  std::vector<int64_t> shape(x.dim(), 1);
  shape[1] = values.numel();
  return values.view(shape);
}

class Normalize : public torch::autograd::Function<Normalize> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& mean, const at::Tensor& var,
                            double eps, BatchParts* parts, int64_t count) {
    const c10::ScalarType type = weight.scalar_type();
    const at::Tensor inverse_std = var.add(eps).rsqrt_().to(type);
    const at::Tensor mean_of_type = mean.to(type);
    ctx->save_for_backward({x, weight, mean_of_type, inverse_std});
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["parts"] = reinterpret_cast<int64_t>(parts);
    ctx->saved_data["count"] = count;
    // In evaluation mode the operator normalizes with what it is given.
    return std::get<0>(
        at::native_batch_norm(x, weight, bias, mean_of_type, var.to(type),
                              /*training=*/false, /*momentum=*/0, eps));
  }

  // With N values a channel in the whole batch and xhat = (x - mean) / std:
  //   dbias = sum dy;  dweight = sum dy xhat, over the part;
  //   dx = weight / std (dy - sum dy / N - xhat sum (dy xhat) / N),
  // where these sums are over the whole batch.
  static variable_list backward(AutogradContext* ctx,
                                const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& mean = saved[2];
    const at::Tensor& inverse_std = saved[3];
    auto* parts =
        reinterpret_cast<BatchParts*>(ctx->saved_data["parts"].toInt());
    const double count = static_cast<double>(ctx->saved_data["count"].toInt());
    const at::Tensor dy = gradients[0].contiguous(x.suggest_memory_format());
    // The operator's second and third results are the part's two sums.
    const auto [unused, dy_xhat, dy_sum] = at::native_batch_norm_backward(
        dy, x, weight, /*running_mean=*/{}, /*running_var=*/{}, mean,
        inverse_std, /*train=*/true, ctx->saved_data["eps"].toDouble(),
        {false, true, true});
    const at::Tensor sums = parts
                                ->Gather(at::stack({dy_sum.to(c10::kDouble),
                                                    dy_xhat.to(c10::kDouble)}))
                                .sum(0)
                                .div_(count);
    // In the parameters' type, rounded to x's at the end.
    const at::Tensor mean_dy = sums[0].to(weight.scalar_type());
    const at::Tensor slope =
        sums[1].mul(inverse_std).neg_().to(weight.scalar_type());
    const at::Tensor scale = inverse_std.mul(weight);
    at::Tensor dx =
        at::addcmul(dy, x.sub(ForChannels(mean, x)), ForChannels(slope, x));
    dx.sub_(ForChannels(mean_dy, x)).mul_(ForChannels(scale, x));
    const at::Tensor none;
    return {
        dx.to(x.scalar_type()), dy_xhat, dy_sum, none, none, none, none, none};
  }
};

// Moves the running statistics. var: the unbiased one, as torch has it.
template <class Module>
void UpdateRunning(Module& module, const at::Tensor& mean,
                   const at::Tensor& var) {
  module.num_batches_tracked.add_(1);
  const double momentum =
      module.options.momentum().has_value()
          ? *module.options.momentum()
          : 1 / module.num_batches_tracked.template item<double>();
  module.running_mean.lerp_(mean.to(module.running_mean.scalar_type()),
                            momentum);
  module.running_var.lerp_(var.to(module.running_var.scalar_type()), momentum);
}

// What `module` does in training mode while other threads do the same with
// other views: as torch's, but for the order in which running statistics move.
template <class Module>
at::Tensor ForwardApart(Module& module, const at::Tensor& x) {
  // With this momentum they become the batch's.
  const at::Tensor mean = at::zeros_like(module.running_mean);
  const at::Tensor var = at::zeros_like(module.running_var);
  at::Tensor y = torch::nn::functional::batch_norm(
      x, mean, var,
      torch::nn::functional::BatchNormFuncOptions()
          .weight(module.weight)
          .bias(module.bias)
          .training(true)
          .momentum(1)
          .eps(module.options.eps()));
  InOrder([&module, mean, var] { UpdateRunning(module, mean, var); });
  return y;
}

// What `module` does with a batch of parts in training mode.
template <class Module>
at::Tensor ForwardTogether(Module& module, const at::Tensor& x,
                           BatchParts& parts) {
  Statistics whole;
  {
    const at::NoGradGuard no_grad;
    whole = OfAllParts(x.detach(), module.running_mean, parts);
    const double values = static_cast<double>(whole.count);
    UpdateRunning(module, whole.mean, whole.var.mul(values / (values - 1)));
  }
  // Without parameters of its own it scales by one.
  const bool affine = module.options.affine();
  const at::Tensor& like = module.running_mean;
  return Normalize::apply(x, affine ? module.weight : at::ones_like(like),
                          affine ? module.bias : at::zeros_like(like),
                          whole.mean, whole.var, module.options.eps(), &parts,
                          whole.count);
}

// What follows a BatchNorm.
struct Then {
  bool relu = false;
  at::Tensor residual;
};

// Torchs: the torch::nn module that Module is.
template <class Torchs, class Module>
at::Tensor Normalized(Module& module, const at::Tensor& x) {
  const BatchLayout& layout = module.layout;
  const auto normalize = [&](const at::Tensor& view) {
    if (layout.parts != nullptr) {
      return ForwardTogether(module, view, *layout.parts);
    }
    return IsApart() ? ForwardApart(module, view)
                     : module.Torchs::forward(view);
  };
  if (!module.is_training()) return module.Torchs::forward(x);
  if (layout.views == 1) return normalize(x);
  TORCH_CHECK_VALUE(x.dim() >= 2 && x.size(0) % layout.views == 0,
                    "a batch of ", layout.views,
                    " views has a multiple of so many rows; got ", x.sizes());
  std::vector<at::Tensor> views = x.split(x.size(0) / layout.views);
  for (at::Tensor& view : views) view = normalize(view);
  return at::cat(views);
}

template <class Torchs, class Module>
at::Tensor Forward(Module& module, at::Tensor x, const Then& then) {
  FusedBatchNorm fused;
  fused.weight = module.weight;
  fused.bias = module.bias;
  fused.running_mean = module.running_mean;
  fused.running_var = module.running_var;
  fused.eps = module.options.eps();
  fused.residual = then.residual;
  fused.relu = then.relu;
  if (!module.is_training()) {
    if (CanEvaluate(x, fused)) return EvaluateBatchNorm(std::move(x), fused);
  } else if (module.options.momentum().has_value()) {
    fused.momentum = *module.options.momentum();
    fused.views = module.layout.views;
    fused.batches = module.num_batches_tracked;
    fused.parts = module.layout.parts;
    if (CanFuse(x, fused)) return NormalizeBatch(x, fused);
  }
  at::Tensor y = Normalized<Torchs>(module, x);
  if (then.residual.defined()) y += then.residual;
  return then.relu ? y.relu_() : y;
}

template <class Change>
void ForEachBatchNorm(torch::nn::Module& module, const Change& change) {
  for (const std::shared_ptr<torch::nn::Module>& child :
       module.modules(/*include_self=*/true)) {
    if (auto* norm = child->as<BatchNorm1dImpl>()) change(norm->layout);
    if (auto* norm = child->as<BatchNorm2dImpl>()) change(norm->layout);
  }
}

}  // namespace

at::Tensor BatchNorm1dImpl::forward(const at::Tensor& x) {
  return Forward<torch::nn::BatchNorm1dImpl>(*this, x, {});
}

at::Tensor BatchNorm1dImpl::ForwardRelu(at::Tensor x,
                                        const at::Tensor& residual) {
  return Forward<torch::nn::BatchNorm1dImpl>(*this, std::move(x),
                                             {true, residual});
}

at::Tensor BatchNorm2dImpl::forward(const at::Tensor& x) {
  return Forward<torch::nn::BatchNorm2dImpl>(*this, x, {});
}

at::Tensor BatchNorm2dImpl::ForwardRelu(at::Tensor x,
                                        const at::Tensor& residual) {
  return Forward<torch::nn::BatchNorm2dImpl>(*this, std::move(x),
                                             {true, residual});
}

void SynchronizeBatchNorm(torch::nn::Module& module, BatchParts* parts) {
  ForEachBatchNorm(module, [&](BatchLayout& layout) { layout.parts = parts; });
}

BatchOfViews::BatchOfViews(torch::nn::Module& module, int64_t views)
    : module_(module) {
  TORCH_CHECK_VALUE(views >= 1, "views is ", views, "; must be at least 1");
  ForEachBatchNorm(module, [&](BatchLayout& layout) { layout.views = views; });
}

BatchOfViews::~BatchOfViews() {
  ForEachBatchNorm(module_, [](BatchLayout& layout) { layout.views = 1; });
}

}  // namespace gsg
