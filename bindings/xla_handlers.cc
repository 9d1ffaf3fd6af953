// guided_stop_gradient._xla: the loss and nearest pairings as handlers of XLA's
// foreign function interface, on XLA's own buffers. Python gets them as
// capsules, which gsg.jax registers; nothing of JAX is linked to.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bindings/xla_executor.h"
#include "gsg_core/distance.h"
#include "gsg_core/half.h"
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

using Buffers = std::vector<ffi::AnyBuffer>;

ffi::Error ToError(const absl::Status& status) {
  if (status.ok()) return ffi::Error::Success();
  return ffi::Error::InvalidArgument(std::string(status.message()));
}

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// gsg.jax gives what the handlers expect; whoever calls them otherwise is told.
absl::Status CheckMatrices(absl::Span<const ffi::AnyBuffer> matrices) {
  for (const ffi::AnyBuffer& matrix : matrices) {
    if (matrix.dimensions().size() != 2) {
      return absl::InvalidArgumentError("views must be [N, D]");
    }
    if (matrix.element_type() != matrices[0].element_type()) {
      return absl::InvalidArgumentError("views must be of one dtype");
    }
  }
  return absl::OkStatus();
}

template <typename T>
Rows<T> RowsOf(const ffi::AnyBuffer& matrix) {
  const int64_t rows = matrix.dimensions()[0], cols = matrix.dimensions()[1];
  return {static_cast<T*>(matrix.untyped_data()), rows, cols, cols};
}

template <typename T>
std::vector<Rows<T>> RowsOfAll(absl::Span<const ffi::AnyBuffer> matrices) {
  std::vector<Rows<T>> rows;
  for (const ffi::AnyBuffer& matrix : matrices) {
    rows.push_back(RowsOf<T>(matrix));
  }
  return rows;
}

// f(T{}) for the T of a floating-point type.
template <typename F>
absl::Status Visit(ffi::DataType type, const F& f) {
  switch (type) {
    case ffi::F16:
      return f(Half{});
    case ffi::BF16:
      return f(BFloat16{});
    case ffi::F32:
      return f(float{});
    case ffi::F64:
      return f(double{});
    default:
      return absl::InvalidArgumentError(
          "views must be float16, bfloat16, float32 or float64");
  }
}

template <typename T>
std::vector<int64_t> Widened(const ffi::AnyBuffer& integers) {
  const T* const first = static_cast<const T*>(integers.untyped_data());
  return {first, first + integers.element_count()};
}

absl::StatusOr<std::vector<int64_t>> ToPairing(const ffi::AnyBuffer& pairing) {
  switch (pairing.element_type()) {
    case ffi::S8:
      return Widened<int8_t>(pairing);
    case ffi::S16:
      return Widened<int16_t>(pairing);
    case ffi::S32:
      return Widened<int32_t>(pairing);
    case ffi::S64:
      return Widened<int64_t>(pairing);
    case ffi::U8:
      return Widened<uint8_t>(pairing);
    case ffi::U16:
      return Widened<uint16_t>(pairing);
    case ffi::U32:
      return Widened<uint32_t>(pairing);
    case ffi::U64:  // what is out of int64's range becomes negative: an error
      return Widened<uint64_t>(pairing);
    default:
      return absl::InvalidArgumentError("pairing must be integers");
  }
}

// uint32 [3]: the low half, the high half, and 1 if it is negative.
absl::StatusOr<uint64_t> ToSeed(const ffi::AnyBuffer& seed) {
  if (seed.element_type() != ffi::U32 || seed.element_count() != 3) {
    return absl::InvalidArgumentError("the seed must be uint32 [3]");
  }
  const uint32_t* const part =
      static_cast<const uint32_t*>(seed.untyped_data());
  if (part[2] != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("seed is negative; it must be in 0..", UINT64_MAX));
  }
  return uint64_t{part[1]} << 32 | part[0];
}

const ffi::AnyBuffer& BufferOf(const ffi::AnyBuffer& argument) {
  return argument;
}

ffi::AnyBuffer BufferOf(ffi::Result<ffi::AnyBuffer> result) { return *result; }

// T: what XLA says that they are, buffers or results.
template <typename T, typename Remaining>
absl::StatusOr<Buffers> ToBuffers(const Remaining& remaining) {
  Buffers buffers;
  for (size_t k = 0; k < remaining.size(); ++k) {
    const ffi::ErrorOr<T> buffer = remaining.template get<T>(k);
    if (!buffer.has_value()) {
      return absl::InvalidArgumentError(buffer.error().message());
    }
    buffers.push_back(BufferOf(*buffer));
  }
  return buffers;
}

absl::StatusOr<Buffers> ToBuffers(const ffi::RemainingArgs& args) {
  return ToBuffers<ffi::AnyBuffer>(args);
}

absl::StatusOr<Buffers> ToBuffers(const ffi::RemainingRets& rets) {
  return ToBuffers<ffi::Result<ffi::AnyBuffer>>(rets);
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

// What a call of the loss has, in the order of its arguments and results.
struct LossCall {
  absl::Span<const ffi::AnyBuffer> p;  // with local ones, behind two others
  absl::Span<const ffi::AnyBuffer> z;  // 2 or 4
  std::vector<int64_t> pairing;        // with 2
  absl::Span<const ffi::AnyBuffer> grads;
};

template <typename T>
absl::StatusOr<LossResult> LossOf(const LossCall& call,
                                  const LossOptions& options) {
  using In = const T;
  const std::vector<Rows<In>> p = RowsOfAll<In>(call.p);
  const std::vector<Rows<In>> z = RowsOfAll<In>(call.z);
  const std::vector<Rows<T>> g = RowsOfAll<T>(call.grads);
  if (z.size() == 4) {
    const FourViews<T> views = {p[0], p[1], p[2], p[3], z[0], z[1], z[2], z[3]};
    FourViewGrads<T> grads;
    if (!g.empty()) grads = {g[0], g[1], g[2], g[3]};
    return GuidedLoss(views, options, g.empty() ? nullptr : &grads);
  }
  const SharedViews<T> views = {
      p[0], p[1], z[0], z[1], call.pairing, absl::MakeConstSpan(p).subspan(2)};
  SharedGrads<T> grads;
  if (!g.empty()) grads = {g[0], g[1], absl::MakeConstSpan(g).subspan(2)};
  return GuidedLoss(views, options, g.empty() ? nullptr : &grads);
}

template <typename T>
void Fill(const ffi::AnyBuffer& matrix, T value) {
  T* const first = static_cast<T*>(matrix.untyped_data());
  for (size_t k = 0; k < matrix.element_count(); ++k) first[k] = value;
}

// The pairing that was given, or that of the seed.
absl::StatusOr<std::vector<int64_t>> PairingOf(
    const std::optional<ffi::AnyBuffer>& given, int64_t n,
    const LossOptions& options) {
  if (given.has_value()) return ToPairing(*given);
  if (n == 1 && options.selection == Selection::kNone) {
    return std::vector<int64_t>{0};  // a single image, which needs no other
  }
  return CyclicPairing(n, options.seed);
}

absl::Status WriteLoss(LossCall call, bool half, const LossOptions& options,
                       const ffi::AnyBuffer& loss) {
  return Visit(call.p[0].element_type(), [&](auto tag) -> absl::Status {
    using T = decltype(tag);
    absl::StatusOr<LossResult> result = LossOf<T>(call, options);
    double value = std::nan("");
    if (result.ok()) {
      value = result->loss;
    } else {
      // float16 that ran over: who scales the loss looks for it in gradients.
      bool finite = true;
      for (const auto& views : {call.p, call.z}) {
        for (const ffi::AnyBuffer& view : views) {
          finite = finite && IsFinite<T>(view);
        }
      }
      if (!half || finite) return result.status();
      for (const ffi::AnyBuffer& grad : call.grads) {
        Fill(grad, T(std::nanf("")));
      }
    }
    if (loss.element_type() == ffi::F64) {
      *static_cast<double*>(loss.untyped_data()) = value;
    } else {
      *static_cast<float*>(loss.untyped_data()) = static_cast<float>(value);
    }
    return absl::OkStatus();
  });
}

// Arguments: seed, [pairing,] z, p. Results: the loss and, if wanted, the
// gradients in p.
absl::Status RunLoss(ffi::ThreadPool pool, std::string_view distance,
                     std::string_view selection, double temperature,
                     double margin, int64_t threads, bool half,
                     int64_t projections, bool paired, ffi::RemainingArgs args,
                     ffi::RemainingRets rets) {
  GSG_ASSIGN_OR_RETURN(const Buffers inputs, ToBuffers(args));
  GSG_ASSIGN_OR_RETURN(const Buffers results, ToBuffers(rets));
  const size_t before = paired ? 2 : 1;
  const size_t count = static_cast<size_t>(projections);
  if ((count != 2 && count != 4) || inputs.size() < before + 2 * count ||
      (count == 4 && (paired || inputs.size() != before + 8)) ||
      results.empty()) {
    return absl::InvalidArgumentError(
        "arguments are seed, pairing, projections, predictions");
  }
  LossCall call;
  const auto views = absl::MakeConstSpan(inputs).subspan(before);
  call.z = views.subspan(0, count);
  call.p = views.subspan(count);
  call.grads = absl::MakeConstSpan(results).subspan(1);
  if (!call.grads.empty() && call.grads.size() != call.p.size()) {
    return absl::InvalidArgumentError("there is a gradient of each prediction");
  }
  GSG_RETURN_IF_ERROR(CheckMatrices(views));
  LossOptions options;
  GSG_ASSIGN_OR_RETURN(options.distance, ParseDistance(View(distance)));
  GSG_ASSIGN_OR_RETURN(options.selection, ParseSelection(View(selection)));
  GSG_ASSIGN_OR_RETURN(options.seed, ToSeed(inputs[0]));
  options.temperature = temperature;
  options.margin = margin;
  XlaExecutor executor(pool, threads);
  options.executor = &executor;
  if (count == 2) {
    std::optional<ffi::AnyBuffer> given;
    if (paired) given = inputs[1];
    GSG_ASSIGN_OR_RETURN(call.pairing,
                         PairingOf(given, call.z[0].dimensions()[0], options));
  }
  return WriteLoss(std::move(call), half, options, results[0]);
}

// Arguments: seed, z. Result: int32 [N].
absl::Status RunNearest(ffi::ThreadPool pool, std::string_view distance,
                        int64_t candidates, int64_t threads,
                        ffi::RemainingArgs args,
                        ffi::Result<ffi::AnyBuffer> pairing) {
  GSG_ASSIGN_OR_RETURN(const Buffers inputs, ToBuffers(args));
  if (inputs.size() != 3 && inputs.size() != 5) {
    return absl::InvalidArgumentError("arguments are seed, 2 or 4 projections");
  }
  const auto views = absl::MakeConstSpan(inputs).subspan(1);
  GSG_RETURN_IF_ERROR(CheckMatrices(views));
  NearestOptions options;
  GSG_ASSIGN_OR_RETURN(options.distance, ParseDistance(View(distance)));
  GSG_ASSIGN_OR_RETURN(options.seed, ToSeed(inputs[0]));
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

XLA_FFI_DEFINE_HANDLER(kGuidedLoss, ([](auto&&... arguments) {
                         return ToError(RunLoss(
                             std::forward<decltype(arguments)>(arguments)...));
                       }),
                       ffi::Ffi::Bind()
                           .Ctx<ffi::ThreadPool>()
                           .Attr<std::string_view>("distance")
                           .Attr<std::string_view>("selection")
                           .Attr<double>("temperature")
                           .Attr<double>("margin")
                           .Attr<int64_t>("threads")
                           .Attr<bool>("half")
                           .Attr<int64_t>("projections")
                           .Attr<bool>("paired")
                           .RemainingArgs()
                           .RemainingRets());

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

// The name is the one that XLA looks for.
py::capsule Capsule(XLA_FFI_Handler* handler) {
  return py::capsule(reinterpret_cast<void*>(handler),
                     "xla._CUSTOM_CALL_TARGET");
}

PYBIND11_MODULE(_xla, module) {
  module.attr("guided_loss") = Capsule(kGuidedLoss);
  module.attr("nearest_pairing") = Capsule(kNearestPairing);
}

}  // namespace
}  // namespace gsg
