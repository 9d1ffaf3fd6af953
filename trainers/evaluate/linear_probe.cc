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
#include "gsg_core/status_macros.h"
#include "trainers/evaluate/classification.h"
#include "trainers/evaluate/inputs.h"
#include "trainers/evaluate/lbfgs.h"
#include "trainers/evaluate/standardizer.h"

namespace gsg {
namespace {

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

Classification Classify(const at::Tensor& logits, const at::Tensor& labels) {
  ClassificationTally tally(logits.size(1));
  tally.Add(logits, labels);
  return tally.Result();
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
  GSG_RETURN_IF_ERROR(CheckLabeledSets({"train", train_features, train_labels},
                                       {"test", test_features, test_labels},
                                       classes));
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
    // x' residual by its transpose: for a product with few columns MKL takes
    // ten times as long on some processors (AMD without AVX-512).
    const at::Tensor slope = residual.t().mm(x).t();
    gradient = at::cat({slope.add(decay).flatten(), residual.sum(0)});
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
  result.test = Classify(
      at::addmm(result.bias, standardize(test_features), result.weight),
      test_labels);
  result.train_top1 = Classify(at::addmm(result.bias, x, v), train_labels).top1;
  result.loss = solution.value;
  result.gradient = solution.gradient;
  result.iterations = solution.iterations;
  result.converged = solution.converged;
  return result;
}

}  // namespace gsg
