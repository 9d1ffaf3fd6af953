#include "trainers/loss/guided_loss.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "gsg_core/status_macros.h"
#include "trainers/loss/aten_executor.h"
#include "trainers/loss/device_loss.h"
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
                          const std::vector<at::Tensor>& z, bool no_pairing) {
  const bool shared = z.size() == 2 && p.size() >= 2;
  const bool four = z.size() == 4 && p.size() == 4;
  if (!shared && !four) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", p.size(), " predictions and ", z.size(),
                     " projections; need 2 of each for shared views, and more "
                     "predictions for local crops, or 4 of each for four "
                     "views"));
  }
  if (four && !no_pairing) {
    return absl::InvalidArgumentError(
        "four views have their second image already: pairing must be empty");
  }
  const c10::ScalarType type = p[0].scalar_type();
  if (!IsReal(type)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "p is ", c10::toString(type), "; it must be ", kRealTypes));
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

// By gsg_core. The tensors have been checked.
absl::StatusOr<TensorLoss> HostLoss(const std::vector<at::Tensor>& p,
                                    const std::vector<at::Tensor>& z,
                                    absl::Span<const int64_t> pairing,
                                    const LossOptions& options) {
  const std::vector<at::Tensor> cpu_p = OnCpu(p);
  const std::vector<at::Tensor> cpu_z = OnCpu(z);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& t : cpu_p) gradients.push_back(at::empty_like(t));

  AtenExecutor executor;
  LossOptions with_threads = options;
  with_threads.executor = &executor;
  const absl::StatusOr<LossResult> result =
      ForType(p[0].scalar_type(), [&](auto zero) {
        return Compute<decltype(zero)>(cpu_p, cpu_z, pairing, with_threads,
                                       gradients);
      });
  if (!result.ok()) return result.status();
  for (at::Tensor& g : gradients) g = g.to(p[0].device());
  return TensorLoss{result->loss, result->pair_count, std::move(gradients)};
}

bool ByKernels(const std::vector<at::Tensor>& p) {
  return p[0].is_cuda() && Gpu() != nullptr && KernelsTake(p);
}

}  // namespace

absl::StatusOr<PairingTensors> MakePairingTensors(
    absl::Span<const int64_t> pairing, uint64_t seed, c10::Device device) {
  // In one piece, so that there is one copy: the seed, and the plan behind it.
  const auto rows = static_cast<int64_t>(pairing.size());
  const int64_t size = rows == 0 ? 0 : cuda::PairingPlanSize(rows);
  const at::Tensor host =
      at::empty({1 + size},
                at::TensorOptions(c10::kLong).pinned_memory(!device.is_cpu()));
  int64_t* out = host.mutable_data_ptr<int64_t>();
  std::memcpy(out, &seed, sizeof(seed));
  if (size > 0) {
    absl::Status s =
        cuda::MakePairingPlan(pairing, absl::MakeSpan(out + 1, size));
    if (!s.ok()) return s;
  }
  const at::Tensor all = host.to(device, /*non_blocking=*/true);
  PairingTensors tensors;
  tensors.seed = all.narrow(0, 0, 1);
  if (size > 0) tensors.plan = all.narrow(0, 1, size);
  return tensors;
}

at::Tensor PairingOf(const PairingTensors& tensors) {
  return tensors.plan.narrow(0, 0, (tensors.plan.size(0) - 1) / 4);
}

absl::Status Read(TensorLoss* loss) {
  if (!loss->on_device.defined()) return absl::OkStatus();
  const at::Tensor values = loss->on_device.cpu();
  const double* value = values.const_data_ptr<double>();
  loss->loss = value[0];
  for (size_t k = 0; k < loss->pair_count.size(); ++k) {
    loss->pair_count[k] = static_cast<int64_t>(value[1 + k]);
  }
  loss->on_device.reset();
  if (std::isfinite(loss->loss)) return absl::OkStatus();
  return absl::InvalidArgumentError("the loss is not finite");
}

absl::StatusOr<TensorLoss> GuidedLoss(const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      absl::Span<const int64_t> pairing,
                                      const LossOptions& options) {
  GSG_RETURN_IF_ERROR(CheckTensors(p, z, pairing.empty()));
  if (!ByKernels(p)) return HostLoss(p, z, pairing, options);
  GSG_ASSIGN_OR_RETURN(
      PairingTensors tensors,
      MakePairingTensors(pairing, options.seed, p[0].device()));
  return RecordableLoss(p, z, tensors, options);
}

absl::StatusOr<TensorLoss> RecordableLoss(const std::vector<at::Tensor>& p,
                                          const std::vector<at::Tensor>& z,
                                          const PairingTensors& pairing,
                                          const LossOptions& options) {
  const bool no_plan = !pairing.plan.defined();
  GSG_RETURN_IF_ERROR(CheckTensors(p, z, no_plan));
  if (z.size() == 2 &&
      (no_plan || PairingOf(pairing).size(0) != p[0].size(0))) {
    return absl::InvalidArgumentError(
        absl::StrCat("pairing has ", no_plan ? 0 : PairingOf(pairing).size(0),
                     " rows; p has ", p[0].size(0)));
  }
  if (ByKernels(p)) {
    return DeviceLoss(Gpu()->loss, p, z, pairing, options);
  }
  LossOptions with_seed = options;
  const at::Tensor seed = pairing.seed.cpu();
  std::memcpy(&with_seed.seed, seed.const_data_ptr<int64_t>(),
              sizeof(with_seed.seed));
  if (no_plan) return HostLoss(p, z, {}, with_seed);
  const at::Tensor rows = PairingOf(pairing).cpu();
  return HostLoss(p, z,
                  absl::MakeSpan(rows.const_data_ptr<int64_t>(), rows.numel()),
                  with_seed);
}

}  // namespace gsg
