#include "trainers/loss/device_loss.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/guided_loss.h"
#include "cuda/pairing_plan.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "models/gpu/current_stream.h"
#include "trainers/loss/guided_loss.h"
#include "trainers/loss/tensor_rows.h"

namespace gsg {
namespace {

template <typename T>
absl::Status Launch(const LossKernel<T>& kernel,
                    const std::vector<at::Tensor>& p,
                    const std::vector<at::Tensor>& z,
                    const PairingTensors& pairing,
                    const cuda::LossOptions& options,
                    const std::vector<at::Tensor>& g,
                    const cuda::LossOutputs& outputs) {
  using In = const T;
  const cuda::Stream stream = CurrentStream(p[0].device());
  if (z.size() == 4) {
    const FourViews<T> views{
        RowsOf<In>(p[0]), RowsOf<In>(p[1]), RowsOf<In>(p[2]), RowsOf<In>(p[3]),
        RowsOf<In>(z[0]), RowsOf<In>(z[1]), RowsOf<In>(z[2]), RowsOf<In>(z[3])};
    const FourViewGrads<T> grads{RowsOf<T>(g[0]), RowsOf<T>(g[1]),
                                 RowsOf<T>(g[2]), RowsOf<T>(g[3])};
    return kernel.four(views, options, &grads, outputs, stream);
  }
  std::vector<Rows<In>> local_p;
  std::vector<Rows<T>> local_grads;
  for (size_t v = 2; v < p.size(); ++v) {
    local_p.push_back(RowsOf<In>(p[v]));
    local_grads.push_back(RowsOf<T>(g[v]));
  }
  const cuda::SharedViews<T> views{
      RowsOf<In>(p[0]),
      RowsOf<In>(p[1]),
      RowsOf<In>(z[0]),
      RowsOf<In>(z[1]),
      cuda::PairingOfPlan(pairing.plan.const_data_ptr<int64_t>(), p[0].size(0)),
      local_p};
  const SharedGrads<T> grads{RowsOf<T>(g[0]), RowsOf<T>(g[1]), local_grads};
  return kernel.shared(views, options, &grads, outputs, stream);
}

std::vector<at::Tensor> Contiguous(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& t : tensors) result.push_back(t.detach().contiguous());
  return result;
}

}  // namespace

bool KernelsTake(const std::vector<at::Tensor>& p) {
  return p[0].scalar_type() != c10::kDouble &&
         p.size() <= 2 + cuda::kMaxLocalViews;
}

absl::StatusOr<TensorLoss> DeviceLoss(const LossKernels& kernels,
                                      const std::vector<at::Tensor>& p,
                                      const std::vector<at::Tensor>& z,
                                      const PairingTensors& pairing,
                                      const LossOptions& options) {
  cuda::LossOptions kernel_options;
  static_cast<SelectionParameters&>(kernel_options) = options;
  kernel_options.distance = options.distance;
  kernel_options.selection = options.selection;
  kernel_options.grad_scale = options.grad_scale;
  kernel_options.device_seed =
      reinterpret_cast<const uint64_t*>(pairing.seed.const_data_ptr<int64_t>());

  const std::vector<at::Tensor> rows_p = Contiguous(p);
  const std::vector<at::Tensor> rows_z = Contiguous(z);
  TensorLoss loss;
  for (const at::Tensor& t : rows_p) {
    loss.gradients.push_back(at::empty_like(t));
  }
  const auto on_device = at::TensorOptions(p[0].device());
  loss.on_device = at::empty({6}, on_device.dtype(c10::kDouble));
  const at::Tensor pair_count = at::empty({5}, on_device.dtype(c10::kLong));
  const c10::ScalarType type = p[0].scalar_type();
  const auto workspace_bytes =
      type == c10::kHalf       ? kernels.of_half.workspace_bytes
      : type == c10::kBFloat16 ? kernels.of_bfloat16.workspace_bytes
                               : kernels.of_float.workspace_bytes;
  // Zeros, and in front of them a word for faults, of which a loss that is NaN
  // tells as well.
  const int64_t words =
      1 + (static_cast<int64_t>(workspace_bytes(p[0].size(0))) + 7) / 8;
  const at::Tensor workspace = at::zeros({words}, on_device.dtype(c10::kLong));

  cuda::LossOutputs outputs;
  outputs.loss = loss.on_device.mutable_data_ptr<double>();
  outputs.pair_count = pair_count.mutable_data_ptr<int64_t>();
  int64_t* memory = workspace.mutable_data_ptr<int64_t>();
  outputs.faults = reinterpret_cast<uint32_t*>(memory);
  outputs.workspace = memory + 1;

  const auto launch = [&](const auto& kernel) {
    return Launch(kernel, rows_p, rows_z, pairing, kernel_options,
                  loss.gradients, outputs);
  };
  const absl::Status status = type == c10::kHalf ? launch(kernels.of_half)
                              : type == c10::kBFloat16
                                  ? launch(kernels.of_bfloat16)
                                  : launch(kernels.of_float);
  if (!status.ok()) return status;
  loss.on_device.narrow(0, 1, 5).copy_(pair_count);
  return loss;
}

}  // namespace gsg
