// guided_stop_gradient._cuda: cuda for guided_stop_gradient/_torch_cuda.py and
// jax.py, in builds with --config=cuda. From the former it takes addresses, and
// trusts them: the caller has looked at shapes, types and devices.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bindings/xla_capsule.h"
#include "bindings/xla_cuda_handler.h"
#include "cuda/guided_loss.h"
#include "cuda/pairing_plan.h"
#include "cuda/stream.h"
#include "cuda/support.h"
#include "gsg_core/distance.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/parse.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "pybind11/numpy.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"

namespace gsg {
namespace {

namespace py = pybind11;

// A matrix: address, and elements from row to row.
using Matrix = std::pair<uintptr_t, int64_t>;

// dtype, N, D.
using Form = std::tuple<std::string, int64_t, int64_t>;

// distance, selection, temperature, margin, seed, grad_scale.
using Options =
    std::tuple<std::string, std::string, double, double, uint64_t, double>;

// Addresses of cuda::Pairing's members.
using PairingAddresses = std::tuple<uintptr_t, uintptr_t, uintptr_t, uintptr_t>;

// Addresses: loss (float), pair, faults, workspace; and the stream.
using Outputs =
    std::tuple<uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t>;

void ThrowIfError(const absl::Status& status) {
  if (status.ok()) return;
  const std::string message(status.message());
  if (status.code() == absl::StatusCode::kInvalidArgument) {
    throw py::value_error(message);
  }
  throw std::runtime_error(message);
}

template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

template <typename T>
T* At(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

template <typename T>
Rows<T> RowsOf(const Matrix& matrix, const Form& form) {
  return {At<T>(matrix.first), std::get<1>(form), std::get<2>(form),
          matrix.second};
}

template <typename T>
std::vector<Rows<T>> RowsOfAll(absl::Span<const Matrix> matrices,
                               const Form& form) {
  std::vector<Rows<T>> rows;
  for (const Matrix& matrix : matrices) {
    rows.push_back(RowsOf<T>(matrix, form));
  }
  return rows;
}

cuda::LossOptions ToLossOptions(const Options& from) {
  cuda::LossOptions options;
  options.distance = ValueOrThrow(ParseDistance(std::get<0>(from)));
  options.selection = ValueOrThrow(ParseSelection(std::get<1>(from)));
  options.temperature = std::get<2>(from);
  options.margin = std::get<3>(from);
  options.seed = std::get<4>(from);
  options.grad_scale = std::get<5>(from);
  return options;
}

cuda::LossOutputs ToLossOutputs(const Outputs& from) {
  cuda::LossOutputs outputs;
  outputs.loss_float = At<float>(std::get<0>(from));
  outputs.pair = At<uint8_t>(std::get<1>(from));
  outputs.faults = At<uint32_t>(std::get<2>(from));
  outputs.workspace = At<void>(std::get<3>(from));
  return outputs;
}

cuda::Stream StreamOf(const Outputs& outputs) {
  return At<CUstream_st>(std::get<4>(outputs));
}

// f(T{}) for the T of the form's dtype.
template <typename F>
absl::Status Visit(const Form& form, const F& f) {
  const std::string& dtype = std::get<0>(form);
  if (dtype == "float16") return f(Half{});
  if (dtype == "bfloat16") return f(BFloat16{});
  if (dtype == "float32") return f(float{});
  return absl::InvalidArgumentError(
      "dtype is " + dtype + "; the kernels take float16, bfloat16, float32");
}

// views: p11, p12, p21, p22, z11, z12, z21, z22. grads: four, or none.
void GuidedLossOfFour(const Form& form, const std::vector<Matrix>& views,
                      const std::vector<Matrix>& grads, const Options& options,
                      const Outputs& outputs) {
  ThrowIfError(Visit(form, [&](auto tag) {
    using T = decltype(tag);
    const auto in = RowsOfAll<const T>(views, form);
    const FourViews<T> rows = {in.at(0), in.at(1), in.at(2), in.at(3),
                               in.at(4), in.at(5), in.at(6), in.at(7)};
    FourViewGrads<T> out;
    if (!grads.empty()) {
      const auto g = RowsOfAll<T>(grads, form);
      out = {g.at(0), g.at(1), g.at(2), g.at(3)};
    }
    return cuda::GuidedLoss(rows, ToLossOptions(options),
                            grads.empty() ? nullptr : &out,
                            ToLossOutputs(outputs), StreamOf(outputs));
  }));
}

// views: p1, p2, z1, z2, and local views. grads: those of p1, p2 and the local
// views, or none.
void GuidedLossShared(const Form& form, const std::vector<Matrix>& views,
                      const PairingAddresses& pairing,
                      const std::vector<Matrix>& grads, const Options& options,
                      const Outputs& outputs) {
  ThrowIfError(Visit(form, [&](auto tag) {
    using T = decltype(tag);
    const auto in = RowsOfAll<const T>(views, form);
    cuda::SharedViews<T> rows = {in.at(0), in.at(1), in.at(2), in.at(3)};
    rows.pairing.pairing = At<const int64_t>(std::get<0>(pairing));
    rows.pairing.inverse = At<const int64_t>(std::get<1>(pairing));
    rows.pairing.order = At<const int64_t>(std::get<2>(pairing));
    rows.pairing.inverse_begin = At<const int64_t>(std::get<3>(pairing));
    rows.local_p = absl::MakeConstSpan(in).subspan(4);
    const auto g = RowsOfAll<T>(grads, form);
    SharedGrads<T> out;
    if (!grads.empty()) {
      out = {g.at(0), g.at(1), absl::MakeConstSpan(g).subspan(2)};
    }
    return cuda::GuidedLoss(rows, ToLossOptions(options),
                            grads.empty() ? nullptr : &out,
                            ToLossOutputs(outputs), StreamOf(outputs));
  }));
}

// A plan (cuda/pairing_plan.h) of a pairing, written to `plan` on the host.
void MakePairingPlan(const py::array_t<int64_t, py::array::c_style>& pairing,
                     uintptr_t plan) {
  const size_t n = static_cast<size_t>(pairing.size());
  ThrowIfError(cuda::MakePairingPlan(
      {pairing.data(), n},
      {At<int64_t>(plan),
       static_cast<size_t>(cuda::PairingPlanSize(pairing.size()))}));
}

// What hinders the kernels on a device, in words; empty: nothing.
std::string WhatHinders(int device) {
  return std::string(cuda::CheckSupport(device).message());
}

}  // namespace
}  // namespace gsg

PYBIND11_MODULE(_cuda, m) {
  m.doc() = "gsg's kernels for NVIDIA GPUs; see gsg.torch and gsg.jax";
  m.attr("MAX_LOCAL_VIEWS") = gsg::cuda::kMaxLocalViews;
  m.def("what_hinders", &gsg::WhatHinders);
  m.def("workspace_bytes", &gsg::cuda::LossWorkspaceBytes);
  m.def("make_pairing_plan", &gsg::MakePairingPlan);
  m.def("guided_loss", &gsg::GuidedLossOfFour);
  m.def("guided_loss_shared", &gsg::GuidedLossShared);
  m.attr("xla_guided_loss") = gsg::XlaCapsule(gsg::XlaCudaHandler());
}
