#include "trainers/loss/guided_loss.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "trainers/loss/tensor_rows.h"

namespace gsg {
namespace {

template <typename T>
absl::StatusOr<LossResult> Compute(const std::vector<at::Tensor>& p,
                                   const std::vector<at::Tensor>& z,
                                   absl::Span<const int64_t> pairing,
                                   const LossOptions& options,
                                   const std::vector<at::Tensor>& g) {
  using In = const T;
  if (z.size() == 2) {
    std::vector<Rows<In>> local_p;
    std::vector<Rows<T>> local_grads;
    for (size_t v = 2; v < p.size(); ++v) {
      local_p.push_back(RowsOf<In>(p[v]));
      local_grads.push_back(RowsOf<T>(g[v]));
    }
    const SharedViews<T> views{RowsOf<In>(p[0]), RowsOf<In>(p[1]),
                               RowsOf<In>(z[0]), RowsOf<In>(z[1]),
                               pairing,          local_p};
    const SharedGrads<T> grads{RowsOf<T>(g[0]), RowsOf<T>(g[1]), local_grads};
    return gsg::GuidedLoss(views, options, &grads);
  }
  const FourViews<T> views{RowsOf<In>(p[0]), RowsOf<In>(p[1]), RowsOf<In>(p[2]),
                           RowsOf<In>(p[3]), RowsOf<In>(z[0]), RowsOf<In>(z[1]),
                           RowsOf<In>(z[2]), RowsOf<In>(z[3])};
  const FourViewGrads<T> grads{RowsOf<T>(g[0]), RowsOf<T>(g[1]),
                               RowsOf<T>(g[2]), RowsOf<T>(g[3])};
  return gsg::GuidedLoss(views, options, &grads);
}

absl::Status CheckTensors(const std::vector<at::Tensor>& p,
                          const std::vector<at::Tensor>& z,
                          absl::Span<const int64_t> pairing) {
  const bool shared = z.size() == 2 && p.size() >= 2;
  const bool four = z.size() == 4 && p.size() == 4;
  if (!shared && !four) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", p.size(), " predictions and ", z.size(),
                     " projections; need 2 of each for shared views, and more "
                     "predictions for local crops, or 4 of each for four "
                     "views"));
  }
  if (four && !pairing.empty()) {
    return absl::InvalidArgumentError(
        "four views have their second image already: pairing must be empty");
  }
  const c10::ScalarType type = p[0].scalar_type();
  if (type != c10::kFloat && type != c10::kDouble) {
    return absl::InvalidArgumentError(absl::StrCat(
        "p is ", c10::toString(type), "; it must be Float or Double"));
  }
  for (const std::vector<at::Tensor>* tensors : {&p, &z}) {
    for (const at::Tensor& t : *tensors) {
      if (t.dim() != 2) {
        return absl::InvalidArgumentError(absl::StrCat(
            "a tensor has ", t.dim(), " dimensions; it must be [N, D]"));
      }
      if (t.scalar_type() != type) {
        return absl::InvalidArgumentError(absl::StrCat(
            "tensors are ", c10::toString(type), " and ",
            c10::toString(t.scalar_type()), "; all must have one type"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TensorLoss> GuidedLoss(const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      absl::Span<const int64_t> pairing,
                                      const LossOptions& options) {
  if (absl::Status s = CheckTensors(p, z, pairing); !s.ok()) return s;
  const std::vector<at::Tensor> cpu_p = OnCpu(p);
  const std::vector<at::Tensor> cpu_z = OnCpu(z);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& t : cpu_p) gradients.push_back(at::empty_like(t));

  AtenExecutor executor;
  LossOptions with_threads = options;
  with_threads.executor = &executor;
  absl::StatusOr<LossResult> result =
      p[0].scalar_type() == c10::kFloat
          ? Compute<float>(cpu_p, cpu_z, pairing, with_threads, gradients)
          : Compute<double>(cpu_p, cpu_z, pairing, with_threads, gradients);
  if (!result.ok()) return result.status();
  for (at::Tensor& g : gradients) g = g.to(p[0].device());
  return TensorLoss{result->loss, result->pair_count, std::move(gradients)};
}

}  // namespace gsg
