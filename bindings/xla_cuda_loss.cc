#include "bindings/xla_cuda_loss.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bindings/xla_arguments.h"
#include "cuda/guided_loss.h"
#include "cuda/pairing_plan.h"
#include "gsg_core/half.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/selection.h"
#include "gsg_core/status_macros.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {
namespace {

namespace ffi = xla::ffi;
using xla_arguments::LossCall;
using xla_arguments::View;

// The pairing that was given, or that of the seed, on the host.
absl::StatusOr<std::vector<int64_t>> PairingOf(
    DeviceMemory& memory, const LossCall& call,
    const cuda::LossOptions& options) {
  if (call.pairing.has_value()) {
    std::vector<char> values(call.pairing->size_bytes());
    GSG_RETURN_IF_ERROR(memory.ToHost(
        values.data(), call.pairing->untyped_data(), values.size()));
    return xla_arguments::ToPairing(call.pairing->element_type(), values.data(),
                                    call.pairing->element_count());
  }
  const int64_t n = call.z[0].dimensions()[0];
  if (n == 1 && options.selection == Selection::kNone) {
    return std::vector<int64_t>{0};  // a single image, which needs no other
  }
  uint32_t words[xla_arguments::kSeedWords];
  GSG_RETURN_IF_ERROR(
      memory.ToHost(words, call.seed.untyped_data(), sizeof(words)));
  GSG_ASSIGN_OR_RETURN(const uint64_t seed, xla_arguments::ToSeed(words));
  return CyclicPairing(n, seed);
}

// The same as a plan (cuda/pairing_plan.h) on the device.
absl::StatusOr<cuda::Pairing> PlanOf(DeviceMemory& memory, const LossCall& call,
                                     const cuda::LossOptions& options) {
  GSG_ASSIGN_OR_RETURN(const std::vector<int64_t> pairing,
                       PairingOf(memory, call, options));
  const int64_t n = call.z[0].dimensions()[0];
  if (static_cast<int64_t>(pairing.size()) != n) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pairing has ", pairing.size(), " entries; views have ", n, " rows"));
  }
  GSG_ASSIGN_OR_RETURN(const std::vector<int64_t> plan,
                       cuda::MakePairingPlan(pairing));
  const size_t bytes = plan.size() * sizeof(plan[0]);
  GSG_ASSIGN_OR_RETURN(void* const device, memory.Allocate(bytes));
  GSG_RETURN_IF_ERROR(memory.ToDevice(device, plan.data(), bytes));
  return cuda::PairingOfPlan(static_cast<const int64_t*>(device), n);
}

template <typename T>
absl::Status Launch(DeviceMemory& memory, const LossCall& call,
                    const cuda::LossOptions& options,
                    const cuda::LossOutputs& outputs) {
  xla_arguments::LossRows<T> rows(call);
  if (rows.is_four()) {
    return cuda::GuidedLoss(rows.four(), options, rows.four_grads(), outputs,
                            memory.stream());
  }
  cuda::SharedViews<T> views = {rows.p()[0], rows.p()[1], rows.z()[0],
                                rows.z()[1]};
  views.local_p = rows.local_p();
  GSG_ASSIGN_OR_RETURN(views.pairing, PlanOf(memory, call, options));
  return cuda::GuidedLoss(views, options, rows.shared_grads(), outputs,
                          memory.stream());
}

}  // namespace

absl::Status RunCudaLoss(DeviceMemory& memory, std::string_view distance,
                         std::string_view selection, double temperature,
                         double margin, int64_t /*threads*/, bool /*half*/,
                         int64_t projections, bool paired,
                         ffi::RemainingArgs args, ffi::RemainingRets rets) {
  GSG_ASSIGN_OR_RETURN(
      const LossCall call,
      xla_arguments::ToLossCall(projections, paired, args, rets));
  const ffi::DataType type = call.p[0].element_type();
  if (type != ffi::F16 && type != ffi::BF16 && type != ffi::F32) {
    return absl::InvalidArgumentError(
        "views must be float16, bfloat16 or float32 on a GPU");
  }
  cuda::LossOptions options;
  GSG_ASSIGN_OR_RETURN(options.distance, ParseDistance(View(distance)));
  GSG_ASSIGN_OR_RETURN(options.selection, ParseSelection(View(selection)));
  options.temperature = temperature;
  options.margin = margin;
  // Its two halves, the lower one first, are the number on a GPU.
  options.device_seed = static_cast<const uint64_t*>(call.seed.untyped_data());

  // A word for faults, of which the loss tells as well, and the workspace.
  const size_t bytes =
      sizeof(uint64_t) + cuda::LossWorkspaceBytes(call.z[0].dimensions()[0]);
  GSG_ASSIGN_OR_RETURN(void* const scratch, memory.Allocate(bytes));
  GSG_RETURN_IF_ERROR(memory.Zero(scratch, bytes));
  cuda::LossOutputs outputs;
  outputs.loss_float = static_cast<float*>(call.loss.untyped_data());
  outputs.faults = static_cast<uint32_t*>(scratch);
  outputs.workspace = static_cast<uint64_t*>(scratch) + 1;
  if (type == ffi::F16) return Launch<Half>(memory, call, options, outputs);
  if (type == ffi::BF16) {
    return Launch<BFloat16>(memory, call, options, outputs);
  }
  return Launch<float>(memory, call, options, outputs);
}

}  // namespace gsg
