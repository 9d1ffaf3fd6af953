#include "trainers/evaluate/trained_probe.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/core/Generator.h"
#include "ATen/core/Tensor.h"
#include "ATen/core/grad_mode.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/full.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/randperm.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/evaluate/classification.h"
#include "trainers/evaluate/inputs.h"
#include "trainers/evaluate/standardizer.h"
#include "trainers/optim/lars.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/schedule.h"
#include "trainers/optim/sgd.h"

namespace gsg {
namespace {

absl::Status Check(const TrainedProbeOptions& options) {
  if (options.epochs >= 1 && options.batch_size >= 1 && options.base_lr > 0 &&
      options.momentum >= 0 && options.weight_decay >= 0 &&
      options.init_std >= 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "epochs is ", options.epochs, ", batch_size ", options.batch_size,
      ", base_lr ", options.base_lr, ", momentum ", options.momentum,
      ", weight_decay ", options.weight_decay, " and init_std ",
      options.init_std,
      "; need the first three positive and the others not negative"));
}

// Of LARS, in every paper.
constexpr double kTrustCoefficient = 0.001;

std::unique_ptr<Optimizer> MakeOptimizer(const TrainedProbeOptions& options,
                                         const at::Tensor& weight,
                                         const at::Tensor& bias) {
  std::vector<ParameterGroup> groups = {
      {{{"weight", weight}, {"bias", bias}}, options.weight_decay}};
  if (options.optimizer == TrainedProbeOptions::Optimizer::kSgd) {
    return std::make_unique<Sgd>(std::move(groups), options.momentum);
  }
  return std::make_unique<Lars>(std::move(groups), options.momentum,
                                kTrustCoefficient);
}

// Rows scored at once when the trained layer classifies.
constexpr int64_t kBlock = 8192;

Classification Classify(const at::Tensor& features, const at::Tensor& labels,
                        const at::Tensor& weight, const at::Tensor& bias) {
  ClassificationTally tally(bias.size(0));
  for (int64_t first = 0; first < features.size(0); first += kBlock) {
    tally.Add(at::addmm(bias, features.slice(0, first, first + kBlock), weight),
              labels.slice(0, first, first + kBlock));
  }
  return tally.Result();
}

}  // namespace

TrainedProbeOptions LarsProbe() { return {}; }

TrainedProbeOptions SgdProbe() {
  TrainedProbeOptions options;
  options.optimizer = TrainedProbeOptions::Optimizer::kSgd;
  options.epochs = 100;
  options.batch_size = 256;
  options.standardize = true;
  return options;
}

absl::StatusOr<TrainedProbeResult> TrainProbe(
    const at::Tensor& train_features, const at::Tensor& train_labels,
    const at::Tensor& test_features, const at::Tensor& test_labels,
    int64_t classes, const TrainedProbeOptions& options) {
  GSG_RETURN_IF_ERROR(Check(options));
  GSG_RETURN_IF_ERROR(CheckLabeledSets({"train", train_features, train_labels},
                                       {"test", test_features, test_labels},
                                       classes));
  const at::NoGradGuard no_grad;
  at::Tensor x = train_features, test = test_features;
  if (options.standardize) {
    const Standardizer standardize(train_features);
    x = standardize(train_features).to(at::kFloat);
    test = standardize(test_features).to(at::kFloat);
  }
  const int64_t n = x.size(0);
  at::Generator generator =
      at::make_generator<at::CPUGeneratorImpl>(options.seed);
  const at::Tensor weight =
      at::randn({x.size(1), classes}, generator, at::dtype(at::kFloat))
          .mul_(options.init_std)
          .to(x.device());
  const at::Tensor bias = at::zeros({classes}, x.options());

  const int64_t batch = std::min(options.batch_size, n);
  const int64_t batches = (n + batch - 1) / batch;
  ScheduleOptions schedule;
  schedule.peak_lr = options.base_lr * static_cast<double>(batch) / 256;
  schedule.total_steps = options.epochs * batches;
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer(options, weight, bias);

  at::Tensor loss;
  int64_t step = 0;
  for (int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    loss = at::zeros({}, x.options());
    const at::Tensor order =
        at::randperm(n, generator, at::dtype(at::kLong)).to(x.device());
    for (int64_t first = 0; first < n; first += batch) {
      const at::Tensor rows = order.slice(0, first, first + batch);
      const at::Tensor images = x.index_select(0, rows);
      const at::Tensor target = train_labels.index_select(0, rows).unsqueeze(1);
      const int64_t size = rows.size(0);
      const at::Tensor log_p = at::addmm(bias, images, weight).log_softmax(1);
      loss.sub_(log_p.gather(1, target).mean());
      // dloss/dlogits = (softmax - onehot) / size.
      const at::Tensor residual =
          log_p.exp()
              .scatter_add_(1, target, at::full({size, 1}, -1.0, x.options()))
              .div_(size);
      // In this order: see LinearProbe.
      weight.mutable_grad() = residual.t().mm(images).t().contiguous();
      bias.mutable_grad() = residual.sum(0);
      optimizer->Step(LearningRate(schedule, step), schedule.peak_lr);
      ++step;
    }
  }
  optimizer->ZeroGrad();

  TrainedProbeResult result;
  result.loss = loss.item<double>() / static_cast<double>(batches);
  result.weight = weight;
  result.bias = bias;
  if (!weight.isfinite().all().item<bool>() ||
      !bias.isfinite().all().item<bool>()) {
    return absl::OutOfRangeError(
        absl::StrCat("the linear probe diverged with base_lr ", options.base_lr,
                     "; try ", options.base_lr / 10));
  }
  result.test = Classify(test, test_labels, weight, bias);
  result.train_top1 = Classify(x, train_labels, weight, bias).top1;
  return result;
}

}  // namespace gsg
