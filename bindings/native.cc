// gsg._native: gsg_core for gsg/__init__.py, which documents the functions and
// checks what this file assumes: arrays are [N, D], aligned, with elements of a
// row next to each other and rows whole elements apart.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/distance.h"
#include "gsg_core/loss.h"
#include "gsg_core/meters.h"
#include "gsg_core/pairing.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/thread_pool.h"
#include "pybind11/numpy.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"

namespace gsg {
namespace {

namespace py = pybind11;

template <typename T, size_t kSize>
using Matrices = std::array<py::array_t<T>, kSize>;

// distance, selection, seed, threads.
using Options = std::tuple<std::string, std::string, uint64_t, int>;

void ThrowIfError(const absl::Status& status) {
  if (!status.ok()) throw py::value_error(std::string(status.message()));
}

template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

// A single row is not followed by another: NumPy lets its stride be anything.
template <typename T>
int64_t RowStride(const py::array_t<T>& array) {
  return array.shape(0) <= 1
             ? array.shape(1)
             : array.strides(0) / static_cast<int64_t>(sizeof(T));
}

template <typename T>
Rows<const T> InputRows(const py::array_t<T>& array) {
  return {array.data(), array.shape(0), array.shape(1), RowStride(array)};
}

// Of a new array, which has no padding.
template <typename T>
Rows<T> OutputRows(py::array_t<T>& array) {
  return {array.mutable_data(), array.shape(0), array.shape(1)};
}

template <typename T>
py::array_t<T> EmptyLike(const py::array_t<T>& array) {
  return py::array_t<T>({array.shape(0), array.shape(1)});
}

template <typename T>
absl::Span<const T> InputSpan(const py::array_t<T>& array) {
  return {array.data(), static_cast<size_t>(array.size())};
}

template <typename T>
py::array_t<T> ToArray(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// The value of call(options), which runs without the GIL.
template <typename Call>
auto Run(const Options& arguments, const Call& call) {
  const auto& [distance, selection, seed, threads] = arguments;
  LossOptions options;
  options.distance = ValueOrThrow(ParseDistance(distance));
  options.selection = ValueOrThrow(ParseSelection(selection));
  options.seed = seed;
  py::gil_scoped_release release;
  ThreadPool pool(threads);
  options.executor = &pool;
  return ValueOrThrow(call(options));
}

template <typename T>
py::tuple GuidedLossOfFour(const Matrices<T, 4>& p, const Matrices<T, 4>& z,
                           const Options& arguments) {
  const FourViews<T> views = {InputRows(p[0]), InputRows(p[1]), InputRows(p[2]),
                              InputRows(p[3]), InputRows(z[0]), InputRows(z[1]),
                              InputRows(z[2]), InputRows(z[3])};
  Matrices<T, 4> grads = {EmptyLike(p[0]), EmptyLike(p[1]), EmptyLike(p[2]),
                          EmptyLike(p[3])};
  const FourViewGrads<T> rows = {OutputRows(grads[0]), OutputRows(grads[1]),
                                 OutputRows(grads[2]), OutputRows(grads[3])};
  const LossResult result = Run(arguments, [&](const LossOptions& options) {
    return GuidedLoss(views, options, &rows);
  });
  return py::make_tuple(result.loss, ToArray(result.pair),
                        py::make_tuple(grads[0], grads[1], grads[2], grads[3]));
}

template <typename T>
py::tuple GuidedLossShared(const Matrices<T, 2>& p, const Matrices<T, 2>& z,
                           const py::array_t<int64_t>& pairing,
                           const Options& arguments) {
  const SharedViews<T> views = {InputRows(p[0]), InputRows(p[1]),
                                InputRows(z[0]), InputRows(z[1]),
                                InputSpan(pairing)};
  Matrices<T, 2> grads = {EmptyLike(p[0]), EmptyLike(p[1])};
  const SharedGrads<T> rows = {OutputRows(grads[0]), OutputRows(grads[1])};
  const LossResult result = Run(arguments, [&](const LossOptions& options) {
    return GuidedLoss(views, options, &rows);
  });
  return py::make_tuple(result.loss, ToArray(result.pair),
                        py::make_tuple(grads[0], grads[1]));
}

template <typename T>
py::array_t<uint8_t> SelectOfFour(const Matrices<T, 4>& z,
                                  const Options& arguments) {
  const Rows<const T> rows[] = {InputRows(z[0]), InputRows(z[1]),
                                InputRows(z[2]), InputRows(z[3])};
  return ToArray(Run(arguments, [&](const LossOptions& options) {
    return Select(rows[0], rows[1], rows[2], rows[3], options);
  }));
}

template <typename T>
py::array_t<uint8_t> SelectShared(const Matrices<T, 2>& z,
                                  const py::array_t<int64_t>& pairing,
                                  const Options& arguments) {
  const Rows<const T> rows[] = {InputRows(z[0]), InputRows(z[1])};
  const absl::Span<const int64_t> second = InputSpan(pairing);
  return ToArray(Run(arguments, [&](const LossOptions& options) {
    return Select(rows[0], rows[1], second, options);
  }));
}

py::array_t<uint8_t> SourceMaskOf(const py::array_t<uint8_t>& pair) {
  py::array_t<uint8_t> mask({pair.size(), py::ssize_t{4}});
  ThrowIfError(SourceMask(
      InputSpan(pair),
      absl::MakeSpan(mask.mutable_data(), static_cast<size_t>(mask.size()))));
  return mask;
}

py::array_t<int64_t> Pairing(int64_t n, uint64_t seed,
                             const std::string& kind) {
  const PairingKind parsed = ValueOrThrow(ParsePairingKind(kind));
  return ToArray(ValueOrThrow(MakePairing(parsed, n, seed)));
}

template <absl::StatusOr<double> (&kMeter)(Rows<const float>)>
double Measure(const py::array_t<float>& z) {
  const Rows<const float> rows = InputRows(z);
  py::gil_scoped_release release;
  return ValueOrThrow(kMeter(rows));
}

// noconvert: an array of the other type goes to the other overload.
template <typename T>
void DefineLoss(py::module_& m) {
  m.def("guided_loss", &GuidedLossOfFour<T>, py::arg("p").noconvert(),
        py::arg("z").noconvert(), py::arg("options"));
  m.def("guided_loss_shared", &GuidedLossShared<T>, py::arg("p").noconvert(),
        py::arg("z").noconvert(), py::arg("pairing").noconvert(),
        py::arg("options"));
  m.def("select", &SelectOfFour<T>, py::arg("z").noconvert(),
        py::arg("options"));
  m.def("select_shared", &SelectShared<T>, py::arg("z").noconvert(),
        py::arg("pairing").noconvert(), py::arg("options"));
}

PYBIND11_MODULE(_native, m) {
  DefineLoss<float>(m);
  DefineLoss<double>(m);
  m.def("source_mask", &SourceMaskOf, py::arg("pair").noconvert());
  m.def("pairing", &Pairing, py::arg("n"), py::arg("seed"), py::arg("kind"));
  m.def("feature_spread", &Measure<FeatureSpread>, py::arg("z").noconvert());
  m.def("effective_rank", &Measure<EffectiveRank>, py::arg("z").noconvert());
}

}  // namespace
}  // namespace gsg
