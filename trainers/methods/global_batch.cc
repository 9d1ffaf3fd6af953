#include "trainers/methods/global_batch.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/norm.h"
#include "gsg_core/status_macros.h"
#include "trainers/distributed/world.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/methods/method.h"

namespace gsg {
namespace {

// [2 D] float64: of the rows on their unit sphere, the sums and the sums of
// squares of each dimension.
std::vector<double> UnitMoments(const at::Tensor& projections) {
  const at::Tensor z = projections.detach().to(c10::kDouble);
  const at::Tensor unit =
      z.div(at::linalg_vector_norm(z, 2, at::IntArrayRef({1}), true)
                .clamp_min_(kNormEpsilon));
  const at::Tensor moments = at::cat({unit.sum(0), unit.square().sum(0)}).cpu();
  const double* values = moments.const_data_ptr<double>();
  return std::vector<double>(values, values + moments.numel());
}

// FeatureStd (gsg_core/meters.h) from the moments of `rows` rows. Values are
// below 1, so that the difference loses no more than the last digits.
double Spread(absl::Span<const double> moments, double rows) {
  const size_t dims = moments.size() / 2;
  double sum = 0;
  for (size_t d = 0; d < dims; ++d) {
    const double mean = moments[d] / rows;
    sum += std::sqrt(std::max(moments[dims + d] / rows - mean * mean, 0.0));
  }
  return sum / std::sqrt(static_cast<double>(dims));
}

}  // namespace

void GlobalBatch::AverageGradientsOf(std::vector<at::Tensor> parameters) {
  // The old averager takes its hooks off the parameters before the new one adds
  // its own.
  averager_.reset();
  averager_.emplace(world_, std::move(parameters));
}

std::vector<at::Tensor> GlobalBatch::GatherRows(
    const std::vector<at::Tensor>& mine) {
  std::vector<at::Tensor> plain;
  for (const at::Tensor& t : mine) plain.push_back(t.detach());
  // [W, tensors, n, D] -> [tensors, N, D]
  return world_.AllGather(at::stack(plain))
      .transpose(0, 1)
      .flatten(1, 2)
      .unbind(0);
}

at::Tensor GlobalBatch::MyRows(const at::Tensor& all) const {
  const int64_t n = all.size(0) / world_.size();
  return all.narrow(0, world_.rank() * n, n);
}

absl::StatusOr<StepResult> GlobalBatch::Combine(
    const absl::StatusOr<TensorLoss>& mine, const at::Tensor& projections) {
  std::vector<double> values = UnitMoments(projections);
  const size_t moments = values.size();
  StepResult result;
  // What all ranks know counts once.
  const bool counts = mine.ok() && (!pair_across_ranks_ || world_.root());
  values.push_back(counts ? mine->loss : 0);
  for (size_t k = 0; k < result.pair_count.size(); ++k) {
    values.push_back(counts ? static_cast<double>(mine->pair_count[k]) : 0);
  }
  GSG_RETURN_IF_ERROR(world_.AgreeAndSum(mine.status(), &values));
  result.loss = values[moments] / (pair_across_ranks_ ? 1 : world_.size());
  for (size_t k = 0; k < result.pair_count.size(); ++k) {
    result.pair_count[k] = static_cast<int64_t>(values[moments + 1 + k]);
  }
  result.feature_std =
      Spread(absl::MakeConstSpan(values.data(), moments),
             static_cast<double>(projections.size(0) * world_.size()));
  return result;
}

}  // namespace gsg
