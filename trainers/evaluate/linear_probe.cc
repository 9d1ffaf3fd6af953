#include "trainers/evaluate/linear_probe.h"

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/eye.h"
#include "ATen/ops/full.h"
#include "ATen/ops/linalg_cholesky.h"
#include "ATen/ops/linalg_solve_triangular.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/evaluate/inputs.h"
#include "trainers/evaluate/lbfgs.h"

namespace gsg {
namespace {

// Per-feature affine map to mean 0 and deviation 1 over the training rows.
class Standardizer {
 public:
  explicit Standardizer(const at::Tensor& train)
      : mean_(train.mean(0, /*keepdim=*/false, at::kDouble)) {
    // Whether a feature varies is read from its range, exactly: the deviation
    // of a constant is rounding noise, which must not be scaled up to 1.
    const at::Tensor varies = train.amax(0).ne(train.amin(0));
    const at::Tensor deviation =
        train.to(at::kDouble).sub_(mean_).square_().mean(0).sqrt_();
    inverse_deviation_ =
        deviation.reciprocal().masked_fill_(varies.logical_not(), 0);
  }

  at::Tensor operator()(const at::Tensor& features) const {
    return features.to(at::kDouble).sub_(mean_).mul_(inverse_deviation_);
  }

 private:
  at::Tensor mean_;
  at::Tensor inverse_deviation_;
};

// A [d, d] matrix T that evens out the curvature of J, which saves L-BFGS most
// of its iterations: T T' inverts x'x / 2N + l2, Boehning's bound on the
// Hessian (Annals of the Institute of Statistical Mathematics 44, 1992).
// W = T V only changes variables; the optimum is the same, whatever T. On the
// CPU: d is small, and not every LibTorch build brings its GPU solvers.
at::Tensor Decorrelation(const at::Tensor& x, double l2) {
  // Features may be dependent and l2 zero.
  const double ridge = l2 + 1e-8;
  const at::Tensor bound = x.t().mm(x).div_(2 * x.size(0)).cpu();
  bound.diagonal().add_(ridge);
  const at::Tensor root = at::linalg_cholesky(bound);
  return at::linalg_solve_triangular(root, at::eye(x.size(1), bound.options()),
                                     /*upper=*/false)
      .t()
      .contiguous()
      .to(x.device());
}

double Top1(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor correct = logits.argmax(1).eq(labels).to(at::kDouble);
  return 100 * correct.mean().item<double>();
}

}  // namespace

absl::StatusOr<LinearProbeResult> LinearProbe(
    const at::Tensor& train_features, const at::Tensor& train_labels,
    const at::Tensor& test_features, const at::Tensor& test_labels,
    int64_t classes, const LinearProbeOptions& options) {
  if (!(options.l2 >= 0) || !(options.tolerance >= 0) ||
      options.iterations < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("l2 is ", options.l2, ", tolerance ", options.tolerance,
                     " and iterations ", options.iterations,
                     "; need l2 >= 0, tolerance >= 0 and iterations >= 1"));
  }
  if (absl::Status s =
          CheckLabeledSets({"train", train_features, train_labels},
                           {"test", test_features, test_labels}, classes);
      !s.ok()) {
    return s;
  }
  const at::NoGradGuard no_grad;
  const Standardizer standardize(train_features);
  at::Tensor x = standardize(train_features);
  const at::Tensor decorrelate = Decorrelation(x, options.l2);
  x = x.mm(decorrelate);
  const at::Tensor penalty = decorrelate.t().mm(decorrelate).mul_(options.l2);
  const int64_t n = x.size(0);
  const int64_t d = x.size(1);
  const at::Tensor target = train_labels.unsqueeze(1);
  const at::Tensor minus_one = at::full({n, 1}, -1.0, x.options());

  // The parameters as one vector: V by rows, then b.
  auto objective = [&](const at::Tensor& parameters, at::Tensor& gradient) {
    const at::Tensor v = parameters.slice(0, 0, d * classes).view({d, classes});
    const at::Tensor b = parameters.slice(0, d * classes);
    const at::Tensor log_p = at::addmm(b, x, v).log_softmax(1);
    // dJ/dlogits = (softmax - onehot) / N.
    const at::Tensor residual =
        log_p.exp().scatter_add_(1, target, minus_one).div_(n);
    const at::Tensor decay = penalty.mm(v);
    gradient =
        at::cat({x.t().mm(residual).add_(decay).flatten(), residual.sum(0)});
    return 0.5 * v.mul(decay).sum().item<double>() -
           log_p.gather(1, target).mean().item<double>();
  };
  const LbfgsResult solution =
      MinimizeLbfgs(at::zeros({(d + 1) * classes}, x.options()), objective,
                    {options.iterations, options.tolerance});
  const at::Tensor v = solution.x.slice(0, 0, d * classes).view({d, classes});

  LinearProbeResult result;
  result.weight = decorrelate.mm(v);
  result.bias = solution.x.slice(0, d * classes);
  result.top1 =
      Top1(at::addmm(result.bias, standardize(test_features), result.weight),
           test_labels);
  result.train_top1 = Top1(at::addmm(result.bias, x, v), train_labels);
  result.loss = solution.value;
  result.gradient = solution.gradient;
  result.iterations = solution.iterations;
  result.converged = solution.converged;
  return result;
}

}  // namespace gsg
