// guided_stop_gradient._xla: the loss and nearest pairings as handlers of XLA's
// foreign function interface, on XLA's own buffers. Python gets them as
// capsules, which gsg.jax registers; nothing of JAX is linked to.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bindings/xla_arguments.h"
#include "bindings/xla_capsule.h"
#include "bindings/xla_executor.h"
#include "gsg_core/distance.h"
#include "gsg_core/loss.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/status_macros.h"
#include "pybind11/pybind11.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {
namespace {

namespace ffi = xla::ffi;
namespace py = pybind11;
using xla_arguments::Buffers;
using xla_arguments::LossCall;
using xla_arguments::RowsOfAll;
using xla_arguments::ToError;
using xla_arguments::View;
using xla_arguments::Visit;

absl::StatusOr<uint64_t> SeedOf(const ffi::AnyBuffer& seed) {
  return xla_arguments::ToSeed(
      static_cast<const uint32_t*>(seed.untyped_data()));
}

template <typename T>
bool IsFinite(const ffi::AnyBuffer& matrix) {
  const T* const values = static_cast<const T*>(matrix.untyped_data());
  const int64_t count = static_cast<int64_t>(matrix.element_count());
  for (int64_t k = 0; k < count; ++k) {
    if (!std::isfinite(static_cast<double>(values[k]))) return false;
  }
  return true;
}

template <typename T>
absl::StatusOr<LossResult> LossOf(const LossCall& call,
                                  const std::vector<int64_t>& pairing,
                                  const LossOptions& options) {
  xla_arguments::LossRows<T> rows(call);
  if (rows.is_four()) {
    return GuidedLoss(rows.four(), options, rows.four_grads());
  }
  const SharedViews<T> views = {rows.p()[0], rows.p()[1], rows.z()[0],
                                rows.z()[1], pairing,     rows.local_p()};
  return GuidedLoss(views, options, rows.shared_grads());
}

template <typename T>
void Fill(const ffi::AnyBuffer& matrix, T value) {
  T* const first = static_cast<T*>(matrix.untyped_data());
  for (size_t k = 0; k < matrix.element_count(); ++k) first[k] = value;
}

// The pairing that was given, or that of the seed; empty for four views.
absl::StatusOr<std::vector<int64_t>> PairingOf(const LossCall& call,
                                               const LossOptions& options) {
  if (call.z.size() == 4) return std::vector<int64_t>();
  if (call.pairing.has_value()) {
    return xla_arguments::ToPairing(call.pairing->element_type(),
                                    call.pairing->untyped_data(),
                                    call.pairing->element_count());
  }
  const int64_t n = call.z[0].dimensions()[0];
  if (n == 1 && options.selection == Selection::kNone) {
    return std::vector<int64_t>{0};  // a single image, which needs no other
  }
  return CyclicPairing(n, options.seed);
}

absl::Status WriteLoss(const LossCall& call,
                       const std::vector<int64_t>& pairing, bool half,
                       const LossOptions& options) {
  return Visit(call.p[0].element_type(), [&](auto tag) -> absl::Status {
    using T = decltype(tag);
    absl::StatusOr<LossResult> result = LossOf<T>(call, pairing, options);
    double value = std::nan("");
    if (result.ok()) {
      value = result->loss;
    } else {
      // float16 that ran over: who scales the loss looks for it in gradients.
      bool finite = true;
      for (const Buffers* views : {&call.p, &call.z}) {
        for (const ffi::AnyBuffer& view : *views) {
          finite = finite && IsFinite<T>(view);
        }
      }
      if (!half || finite) return result.status();
      for (const ffi::AnyBuffer& grad : call.grads) {
        Fill(grad, T(std::nanf("")));
      }
    }
    if (call.loss.element_type() == ffi::F64) {
      *static_cast<double*>(call.loss.untyped_data()) = value;
    } else {
      *static_cast<float*>(call.loss.untyped_data()) =
          static_cast<float>(value);
    }
    return absl::OkStatus();
  });
}

absl::Status RunLoss(ffi::ThreadPool pool, std::string_view distance,
                     std::string_view selection, double temperature,
                     double margin, int64_t threads, bool half,
                     int64_t projections, bool paired, ffi::RemainingArgs args,
                     ffi::RemainingRets rets) {
  GSG_ASSIGN_OR_RETURN(
      const LossCall call,
      xla_arguments::ToLossCall(projections, paired, args, rets));
  LossOptions options;
  GSG_ASSIGN_OR_RETURN(options.distance, ParseDistance(View(distance)));
  GSG_ASSIGN_OR_RETURN(options.selection, ParseSelection(View(selection)));
  GSG_ASSIGN_OR_RETURN(options.seed, SeedOf(call.seed));
  options.temperature = temperature;
  options.margin = margin;
  XlaExecutor executor(pool, threads);
  options.executor = &executor;
  GSG_ASSIGN_OR_RETURN(const std::vector<int64_t> pairing,
                       PairingOf(call, options));
  return WriteLoss(call, pairing, half, options);
}

// Arguments: seed, z. Result: int32 [N].
absl::Status RunNearest(ffi::ThreadPool pool, std::string_view distance,
                        int64_t candidates, int64_t threads,
                        ffi::RemainingArgs args,
                        ffi::Result<ffi::AnyBuffer> pairing) {
  GSG_ASSIGN_OR_RETURN(const Buffers inputs, xla_arguments::ToBuffers(args));
  if (inputs.size() != 3 && inputs.size() != 5) {
    return absl::InvalidArgumentError("arguments are seed, 2 or 4 projections");
  }
  const auto views = absl::MakeConstSpan(inputs).subspan(1);
  GSG_RETURN_IF_ERROR(xla_arguments::CheckMatrices(views));
  GSG_RETURN_IF_ERROR(xla_arguments::CheckSeed(inputs[0]));
  NearestOptions options;
  GSG_ASSIGN_OR_RETURN(options.distance, ParseDistance(View(distance)));
  GSG_ASSIGN_OR_RETURN(options.seed, SeedOf(inputs[0]));
  options.candidates = candidates;
  XlaExecutor executor(pool, threads);
  options.executor = &executor;
  return Visit(views[0].element_type(), [&](auto tag) -> absl::Status {
    const auto z = RowsOfAll<const decltype(tag)>(views);
    GSG_ASSIGN_OR_RETURN(const std::vector<int64_t> nearest,
                         z.size() == 2
                             ? NearestPairing(z[0], z[1], options)
                             : NearestPairing(z[0], z[1], z[2], z[3], options));
    int32_t* out = static_cast<int32_t*>(pairing->untyped_data());
    for (const int64_t row : nearest) *out++ = static_cast<int32_t>(row);
    return absl::OkStatus();
  });
}

XLA_FFI_DEFINE_HANDLER(
    kGuidedLoss, ([](auto&&... arguments) {
      return ToError(RunLoss(std::forward<decltype(arguments)>(arguments)...));
    }),
    xla_arguments::BindLoss(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>()));

XLA_FFI_DEFINE_HANDLER(kNearestPairing, ([](auto&&... arguments) {
                         return ToError(RunNearest(
                             std::forward<decltype(arguments)>(arguments)...));
                       }),
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Attr<std::string_view>("distance")
                           .Attr<int64_t>("candidates")
                           .Attr<int64_t>("threads")
                           .RemainingArgs()
                           .Ret<ffi::AnyBuffer>());

PYBIND11_MODULE(_xla, module) {
  module.attr("guided_loss") = XlaCapsule(kGuidedLoss);
  module.attr("nearest_pairing") = XlaCapsule(kNearestPairing);
}

}  // namespace
}  // namespace gsg
