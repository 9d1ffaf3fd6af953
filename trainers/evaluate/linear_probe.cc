#include "trainers/evaluate/linear_probe.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/eye.h"
#include "ATen/ops/linalg_cholesky.h"
#include "ATen/ops/linalg_solve_triangular.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "models/threads_apart.h"
#include "trainers/evaluate/classification.h"
#include "trainers/evaluate/inputs.h"
#include "trainers/evaluate/lbfgs.h"
#include "trainers/evaluate/standardizer.h"

namespace gsg {
namespace {

// Features whose float64 copies a core's cache keeps until they are read again.
constexpr int64_t kCachedElements = int64_t{1} << 16;

// Rows with labels, and how their features are standardised.
struct LabeledRows {
  at::Tensor features;  // [N, d] float32
  at::Tensor labels;    // [N] int64
  const Standardizer& standardize;

  LabeledRows Slice(int64_t begin, int64_t end) const {
    return {features.slice(0, begin, end), labels.slice(0, begin, end),
            standardize};
  }
};

// Calls visit(x, labels) for `block` rows after the other, x standardised.
void ForEachBlock(
    const LabeledRows& rows, int64_t block,
    absl::FunctionRef<void(const at::Tensor& x, const at::Tensor& labels)>
        visit) {
  for (int64_t first = 0; first < rows.labels.size(0); first += block) {
    const LabeledRows some = rows.Slice(first, first + block);
    visit(some.standardize(some.features), some.labels);
  }
}

// sum_i -log softmax(W' x_i + b)[y_i] and its gradient, all in float64. With a
// row for each class, also of the logits: for products with few columns MKL
// takes up to twice as long as for those with few rows.
struct LossSum {
  explicit LossSum(const at::Tensor& wt)
      : loss(at::zeros({}, wt.options())),
        dwt(at::zeros_like(wt)),
        db(at::zeros({wt.size(0)}, wt.options())) {}

  // wt: [classes, d], W's transpose. b: [classes].
  void Add(const LabeledRows& rows, const at::Tensor& wt, const at::Tensor& b) {
    // Twice as many as classes, whose slopes are read and written for each
    // block.
    const int64_t block =
        b.is_cpu()
            ? std::max(kCachedElements / rows.features.size(1), 2 * b.size(0))
            : RowsAtATime(rows.features);
    ForEachBlock(rows, block,
                 [&](const at::Tensor& x, const at::Tensor& labels) {
                   const at::Tensor target = labels.unsqueeze(0);
                   const at::Tensor log_p =
                       at::addmm(b.unsqueeze(1), wt, x.t()).log_softmax(0);
                   const at::Tensor own = log_p.gather(0, target);
                   loss.sub_(own.sum());
                   // dloss/dlogits = softmax - onehot.
                   const at::Tensor residual =
                       log_p.exp().scatter_(0, target, own.expm1());
                   dwt.addmm_(residual, x);
                   db.add_(residual.sum(1));
                 });
  }

  void Add(const LossSum& other) {
    loss.add_(other.loss);
    dwt.add_(other.dwt);
    db.add_(other.db);
  }

  at::Tensor loss;  // []
  at::Tensor dwt;   // [classes, d]
  at::Tensor db;    // [classes]
};

// Each thread adds up a part of the rows.
LossSum SumLoss(const LabeledRows& rows, const at::Tensor& wt,
                const at::Tensor& b) {
  const int64_t n = rows.labels.size(0);
  const int64_t parts =
      b.is_cpu() ? std::min<int64_t>(at::get_num_threads(), n) : 1;
  std::vector<LossSum> sums;
  for (int64_t i = 0; i < parts; ++i) sums.emplace_back(wt);
  ForEachApart(parts, [&](int64_t i) {
    sums[i].Add(rows.Slice(i * n / parts, (i + 1) * n / parts), wt, b);
  });
  for (int64_t i = 1; i < parts; ++i) sums[0].Add(sums[i]);
  return std::move(sums[0]);
}

// A [d, d] matrix T that evens out the curvature of J, which saves L-BFGS most
// of its iterations: T T' inverts x'x / 2N + l2, Boehning's bound on the
// Hessian (Annals of the Institute of Statistical Mathematics 44, 1992).
// W = T V only changes variables; the optimum is the same, whatever T. On the
// CPU: d is small, and not every LibTorch build brings its GPU solvers.
at::Tensor Decorrelation(const at::Tensor& features,
                         const Standardizer& standardize, double l2) {
  const int64_t d = features.size(1);
  // Features may be dependent and l2 zero.
  const double ridge = l2 + 1e-8;
  at::Tensor squares = at::zeros({d, d}, features.options().dtype(at::kDouble));
  for (const at::Tensor& piece : features.split(RowsAtATime(features))) {
    const at::Tensor x = standardize(piece);
    squares.addmm_(x.t(), x);
  }
  const at::Tensor bound = squares.div_(2 * features.size(0)).cpu();
  bound.diagonal().add_(ridge);
  const at::Tensor root = at::linalg_cholesky(bound);
  return at::linalg_solve_triangular(root, at::eye(d, bound.options()),
                                     /*upper=*/false)
      .t()
      .contiguous()
      .to(features.device());
}

Classification Classify(const LabeledRows& rows, const at::Tensor& w,
                        const at::Tensor& b) {
  ClassificationTally tally(b.size(0));
  ForEachBlock(rows, RowsAtATime(rows.features),
               [&](const at::Tensor& x, const at::Tensor& labels) {
                 tally.Add(at::addmm(b, x, w), labels);
               });
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
  const LabeledRows train = {train_features, train_labels, standardize};
  const at::Tensor decorrelate =
      Decorrelation(train_features, standardize, options.l2);
  const int64_t n = train_features.size(0);
  const int64_t d = train_features.size(1);

  // The parameters as one vector: V by rows, then b.
  const auto weight = [&](const at::Tensor& parameters) {
    return decorrelate.mm(
        parameters.slice(0, 0, d * classes).view({d, classes}));
  };
  const auto objective = [&](const at::Tensor& parameters,
                             at::Tensor& gradient) {
    const at::Tensor w = weight(parameters);
    const LossSum sum =
        SumLoss(train, w.t().contiguous(), parameters.slice(0, d * classes));
    const at::Tensor dw = sum.dwt.t().div(n).add_(w, options.l2);
    gradient = at::cat({decorrelate.t().mm(dw).flatten(), sum.db.div(n)});
    return sum.loss.item<double>() / n +
           0.5 * options.l2 * w.square().sum().item<double>();
  };
  const LbfgsResult solution =
      MinimizeLbfgs(at::zeros({(d + 1) * classes}, decorrelate.options()),
                    objective, {options.iterations, options.tolerance});

  LinearProbeResult result;
  result.weight = weight(solution.x);
  result.bias = solution.x.slice(0, d * classes);
  result.test = Classify({test_features, test_labels, standardize},
                         result.weight, result.bias);
  result.train_top1 = Classify(train, result.weight, result.bias).top1;
  result.loss = solution.value;
  result.gradient = solution.gradient;
  result.iterations = solution.iterations;
  result.converged = solution.converged;
  return result;
}

}  // namespace gsg
