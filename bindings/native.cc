// guided_stop_gradient._native: gsg_core for guided_stop_gradient/__init__.py,
// which documents the functions and checks options. Matrices are anything that
// ParseArray takes.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bindings/array.h"
#include "bindings/open_mp_executor.h"
#include "bindings/thread_pool_cache.h"
#include "gsg_core/distance.h"
#include "gsg_core/executor.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/meters.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/random.h"
#include "gsg_core/reference_row.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/version.h"
#include "pybind11/numpy.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"

namespace gsg {
namespace {

namespace py = pybind11;

// How many, and the GOMP_parallel of an OpenMP runtime whose threads they are,
// or 0: ours.
using Threads = std::pair<int, uintptr_t>;

// distance, selection, temperature, margin, seed, threads, grad_scale.
using Options = std::tuple<std::string, std::string, double, double, uint64_t,
                           Threads, double>;

uint64_t SeedOf(const Options& options) { return std::get<4>(options); }

// The same number of arguments, with their names.
template <size_t kSize>
using Names = std::array<const char*, kSize>;
template <size_t kSize>
using Matrices = std::array<Array, kSize>;
template <size_t kSize>
using Objects = std::array<py::object, kSize>;

constexpr Names<8> kFourViews = {"p11", "p12", "p21", "p22",
                                 "z11", "z12", "z21", "z22"};
constexpr Names<4> kSharedViews = {"p1", "p2", "z1", "z2"};
constexpr Names<4> kFourProjections = {"z11", "z12", "z21", "z22"};
constexpr Names<2> kSharedProjections = {"z1", "z2"};

const std::vector<std::string>& FloatDtypes() {
  static const auto* const kDtypes =
      new std::vector<std::string>{"float16", "bfloat16", "float32", "float64"};
  return *kDtypes;
}

void ThrowIfError(const absl::Status& status) {
  const std::string message(status.message());
  if (absl::IsResourceExhausted(status)) {
    PyErr_SetString(PyExc_MemoryError, message.c_str());
    throw py::error_already_set();
  }
  if (!status.ok()) throw py::value_error(message);
}

template <typename T>
T ValueOrThrow(absl::StatusOr<T> value) {
  ThrowIfError(value.status());
  return *std::move(value);
}

// f(T{}) for the T that a dtype of FloatDtypes() names.
template <typename F>
auto Visit(const std::string& dtype, const F& f) {
  if (dtype == "float16") return f(Half{});
  if (dtype == "bfloat16") return f(BFloat16{});
  if (dtype == "float64") return f(double{});
  return f(float{});
}

Array ParseMatrix(const std::string& name, py::handle value) {
  Array array = ParseArray(name, value);
  CheckDtype(array, FloatDtypes());
  CheckDimensions(array, 2, "[N, D]");
  return array;
}

void CheckSameDtype(const Array& array, const Array& first) {
  if (array.dtype == first.dtype) return;
  throw py::type_error(array.name + " is " + array.dtype + "; " + first.name +
                       " is " + first.dtype + "; their dtypes must be equal");
}

// All of one dtype and with plain rows, if need be by a copy.
template <size_t kSize>
Matrices<kSize> ParseMatrices(const Names<kSize>& names,
                              const Objects<kSize>& values) {
  Matrices<kSize> matrices;
  for (size_t i = 0; i < kSize; ++i) {
    Array array = ParseMatrix(names[i], values[i]);
    if (i > 0) CheckSameDtype(array, matrices[0]);
    matrices[i] = PlainRows(std::move(array));
  }
  return matrices;
}

Array ParseVector(const std::string& name, py::handle value,
                  const std::string& dtype) {
  Array array = ParseArray(name, value);
  CheckDtype(array, {dtype});
  CheckDimensions(array, 1, "[N]");
  return PlainElements(std::move(array));
}

// int64 [N] from integers of any type of which int64 holds all, or a list. What
// is no int64 is copied: it is small beside the views.
Array ParsePairing(py::handle value) {
  auto object = py::reinterpret_borrow<py::object>(value);
  if (py::isinstance<py::list>(value)) {
    try {
      object = py::module_::import("numpy").attr("asarray")(value);
    } catch (py::error_already_set& error) {  // lists of several lengths
      throw py::value_error("pairing is a list that is no array: " +
                            py::cast<std::string>(py::str(error.value())));
    }
  }
  Array array = ParseArray("pairing", object);
  if (array.dtype != "int64") {
    static const auto* const kIntegers = new std::vector<std::string>{
        "int8", "int16", "int32", "uint8", "uint16", "uint32",
        ">i2",  ">i4",   ">i8",   ">u2",   ">u4"};
    if (std::find(kIntegers->begin(), kIntegers->end(), array.dtype) ==
        kIntegers->end()) {
      throw py::type_error("pairing is " + array.dtype +
                           "; it must be integers that int64 holds");
    }
    const py::array view(py::dtype(array.dtype), array.shape, array.strides,
                         array.data, array.owner);
    array = ParseArray("pairing", view.attr("astype")("int64"));
  }
  CheckDimensions(array, 1, "[N]");
  return PlainElements(std::move(array));
}

// A single row is not followed by another: its stride may be anything.
template <typename T>
Rows<T> RowsOf(const Array& array) {
  const int64_t rows = array.shape[0], cols = array.shape[1];
  return {reinterpret_cast<T*>(array.data), rows, cols,
          rows <= 1 ? cols : array.strides[0] / array.itemsize};
}

template <typename T>
absl::Span<const T> SpanOf(const Array& array) {
  return {reinterpret_cast<const T*>(array.data),
          static_cast<size_t>(array.shape[0])};
}

template <typename T>
py::array_t<T> ToArray(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

// NumPy's dtype for new arrays like `array`. bfloat16 is a stranger to NumPy:
// it is the argument's own, or that of ml_dtypes.
py::dtype NewDtype(const Array& array) {
  if (array.dtype != "bfloat16") return py::dtype(array.dtype);
  if (py::isinstance<py::array>(array.owner)) {
    const py::dtype own =
        py::reinterpret_borrow<py::array>(array.owner).dtype();
    if (py::cast<std::string>(py::str(py::handle(own))) == array.dtype)
      return own;
  }
  try {
    return py::dtype::from_args(
        py::module_::import("ml_dtypes").attr("bfloat16"));
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_ImportError)) throw;
    throw py::type_error(
        array.name +
        " is bfloat16, which NumPy has no type of its own for: give out=, "
        "arrays for the gradients, or install ml_dtypes");
  }
}

// Where gradients go, and the objects that the caller gets.
struct Outputs {
  bool wanted = true;
  std::vector<Array> matrices;
  py::tuple objects;
};

// out: None for new arrays; arrays like p; or empty, for no gradients.
Outputs ParseOutputs(const Array& p, size_t count, const py::object& out) {
  Outputs outputs;
  outputs.objects = py::tuple(count);
  if (out.is_none()) {
    const py::dtype dtype = NewDtype(p);
    for (size_t v = 0; v < count; ++v) {
      outputs.objects[v] =
          py::array(dtype, std::vector<py::ssize_t>{p.shape[0], p.shape[1]});
      outputs.matrices.push_back(ParseArray("grad", outputs.objects[v]));
    }
    return outputs;
  }
  if (!py::isinstance<py::sequence>(out)) {
    throw py::type_error(
        "out is a value of type " +
        py::cast<std::string>(py::type::of(out).attr("__name__")) +
        "; it must be a sequence of " + std::to_string(count) + " arrays");
  }
  const auto given = py::reinterpret_borrow<py::sequence>(out);
  if (given.size() == 0) {
    outputs.wanted = false;
    outputs.objects = py::tuple();
    return outputs;
  }
  if (given.size() != count) {
    throw py::value_error("out has " + std::to_string(given.size()) +
                          " arrays; there are " + std::to_string(count) +
                          " gradients");
  }
  for (size_t v = 0; v < count; ++v) {
    const std::string name = "out[" + std::to_string(v) + "]";
    Array array = ParseMatrix(name, given[v]);
    CheckSameDtype(array, p);
    if (!array.writable || IsImmutable(given[v])) {
      throw py::value_error(name + " is read-only");
    }
    if (!HasPlainRows(array)) {
      throw py::value_error(
          name +
          " is written in place: the elements of a row must be next to each "
          "other, and rows whole elements apart and forwards");
    }
    outputs.matrices.push_back(std::move(array));
    outputs.objects[v] = given[v];
  }
  return outputs;
}

// The value of call(), which runs without the GIL.
template <typename Call>
auto WithoutGil(const Call& call) {
  auto result = [&] {
    py::gil_scoped_release release;
    return call();
  }();
  return ValueOrThrow(std::move(result));
}

// Threads for the length of a call. Constructed and destroyed under the GIL.
class CallExecutor {
 public:
  explicit CallExecutor(const Threads& threads) {
    const auto [count, gomp_parallel] = threads;
    if (gomp_parallel != 0) {
      open_mp_.emplace(gomp_parallel, count);
    } else {
      own_.emplace(count);
    }
  }

  Executor* get() {
    if (open_mp_.has_value()) return &*open_mp_;
    return own_->get();
  }

 private:
  std::optional<OpenMpExecutor> open_mp_;
  std::optional<LeasedThreadPool> own_;
};

// The value of call(options), which runs without the GIL.
template <typename Call>
auto Run(const Options& arguments, const Call& call) {
  const auto& [distance, selection, temperature, margin, seed, threads,
               grad_scale] = arguments;
  LossOptions options;
  options.distance = ValueOrThrow(ParseDistance(distance));
  options.selection = ValueOrThrow(ParseSelection(selection));
  options.temperature = temperature;
  options.margin = margin;
  options.seed = seed;
  options.grad_scale = grad_scale;
  CallExecutor executor(threads);
  options.executor = executor.get();
  return WithoutGil([&] { return call(options); });
}

py::tuple ToTuple(const LossResult& result, const Outputs& outputs) {
  return py::make_tuple(result.loss, ToArray(result.pair), outputs.objects);
}

py::tuple GuidedLossOfFour(const Objects<8>& views, const Options& arguments,
                           const py::object& out) {
  const Matrices<8> m = ParseMatrices(kFourViews, views);
  const Outputs outputs = ParseOutputs(m[0], 4, out);
  return ToTuple(Visit(m[0].dtype,
                       [&](auto tag) {
                         using T = decltype(tag);
                         using In = const T;
                         const FourViews<T> rows = {
                             RowsOf<In>(m[0]), RowsOf<In>(m[1]),
                             RowsOf<In>(m[2]), RowsOf<In>(m[3]),
                             RowsOf<In>(m[4]), RowsOf<In>(m[5]),
                             RowsOf<In>(m[6]), RowsOf<In>(m[7])};
                         FourViewGrads<T> grads;
                         if (outputs.wanted) {
                           const std::vector<Array>& g = outputs.matrices;
                           grads = {RowsOf<T>(g[0]), RowsOf<T>(g[1]),
                                    RowsOf<T>(g[2]), RowsOf<T>(g[3])};
                         }
                         return Run(arguments, [&](const LossOptions& options) {
                           return GuidedLoss(rows, options,
                                             outputs.wanted ? &grads : nullptr);
                         });
                       }),
                 outputs);
}

// The given pairing of n images, or for None the cyclic one of the seed.
class PairingArgument {
 public:
  PairingArgument(const py::object& pairing, int64_t n,
                  const Options& options) {
    if (!pairing.is_none()) {
      given_ = ParsePairing(pairing);
    } else if (n == 1 && std::get<1>(options) == "none") {
      drawn_ = {0};      // a single image, which needs no other
    } else if (n > 0) {  // that n is 0 is the loss's to say
      drawn_ = ValueOrThrow(CyclicPairing(n, SeedOf(options)));
    }
  }

  absl::Span<const int64_t> span() const {
    return given_.data != nullptr ? SpanOf<int64_t>(given_) : drawn_;
  }

 private:
  Array given_;
  std::vector<int64_t> drawn_;
};

// Like ParseMatrices, for as many as there are.
std::vector<Array> ParseLocal(const py::sequence& local_p, const Array& first) {
  std::vector<Array> matrices;
  for (size_t k = 0; k < local_p.size(); ++k) {
    Array array = ParseMatrix("local_p[" + std::to_string(k) + "]", local_p[k]);
    CheckSameDtype(array, first);
    matrices.push_back(PlainRows(std::move(array)));
  }
  return matrices;
}

template <typename T>
std::vector<Rows<T>> RowsOfAll(absl::Span<const Array> matrices) {
  std::vector<Rows<T>> rows;
  for (const Array& matrix : matrices) rows.push_back(RowsOf<T>(matrix));
  return rows;
}

py::tuple GuidedLossShared(const Objects<4>& views, const py::object& pairing,
                           const Options& arguments, const py::object& out,
                           const py::sequence& local_p) {
  const Matrices<4> m = ParseMatrices(kSharedViews, views);
  const std::vector<Array> local = ParseLocal(local_p, m[0]);
  const PairingArgument second(pairing, m[0].shape[0], arguments);
  const Outputs outputs = ParseOutputs(m[0], 2 + local.size(), out);
  const auto call = [&](auto tag) {
    using T = decltype(tag);
    using In = const T;
    const std::vector<Rows<In>> local_rows = RowsOfAll<In>(local);
    const SharedViews<T> rows = {RowsOf<In>(m[0]), RowsOf<In>(m[1]),
                                 RowsOf<In>(m[2]), RowsOf<In>(m[3]),
                                 second.span(),    local_rows};
    std::vector<Rows<T>> local_grads;
    SharedGrads<T> grads;
    if (outputs.wanted) {
      const absl::Span<const Array> g = outputs.matrices;
      local_grads = RowsOfAll<T>(g.subspan(2));
      grads = {RowsOf<T>(g[0]), RowsOf<T>(g[1]), local_grads};
    }
    return Run(arguments, [&](const LossOptions& options) {
      return GuidedLoss(rows, options, outputs.wanted ? &grads : nullptr);
    });
  };
  return ToTuple(Visit(m[0].dtype, call), outputs);
}

py::array_t<uint8_t> SelectOfFour(const Objects<4>& projections,
                                  const Options& arguments) {
  const Matrices<4> m = ParseMatrices(kFourProjections, projections);
  return ToArray(Visit(m[0].dtype, [&](auto tag) {
    using In = const decltype(tag);
    return Run(arguments, [&](const LossOptions& options) {
      return Select(RowsOf<In>(m[0]), RowsOf<In>(m[1]), RowsOf<In>(m[2]),
                    RowsOf<In>(m[3]), options);
    });
  }));
}

py::array_t<uint8_t> SelectShared(const Objects<2>& projections,
                                  const py::object& pairing,
                                  const Options& arguments) {
  const Matrices<2> m = ParseMatrices(kSharedProjections, projections);
  const Array second = ParsePairing(pairing);
  return ToArray(Visit(m[0].dtype, [&](auto tag) {
    using In = const decltype(tag);
    return Run(arguments, [&](const LossOptions& options) {
      return Select(RowsOf<In>(m[0]), RowsOf<In>(m[1]), SpanOf<int64_t>(second),
                    options);
    });
  }));
}

py::array_t<uint8_t> SourceMaskOf(const py::object& pair) {
  const Array array = ParseVector("pair", pair, "uint8");
  py::array_t<uint8_t> mask({array.shape[0], int64_t{4}});
  ThrowIfError(SourceMask(
      SpanOf<uint8_t>(array),
      absl::MakeSpan(mask.mutable_data(), static_cast<size_t>(mask.size()))));
  return mask;
}

py::array_t<int64_t> Pairing(int64_t n, uint64_t seed,
                             const std::string& kind) {
  const PairingKind parsed = ValueOrThrow(ParsePairingKind(kind));
  return ToArray(ValueOrThrow(MakePairing(parsed, n, seed)));
}

// candidates, distance, seed, threads.
using NearestArguments = std::tuple<int64_t, std::string, uint64_t, Threads>;

// As many candidates as there are other images, if any: the last batch of an
// epoch may be a short one.
int64_t AtMost(int64_t candidates, const Array& z) {
  const int64_t others = z.shape[0] - 1;
  return others > 0 ? std::min(candidates, others) : candidates;
}

// projections: z1, z2, or z11, z12, z21, z22.
py::array_t<int64_t> NearestPairingOf(const py::tuple& projections,
                                      const NearestArguments& arguments) {
  const auto& [candidates, distance, seed, threads] = arguments;
  NearestOptions options;
  options.distance = ValueOrThrow(ParseDistance(distance));
  options.seed = seed;
  CallExecutor executor(threads);
  options.executor = executor.get();
  if (projections.size() == 2) {
    const Matrices<2> m =
        ParseMatrices(kSharedProjections, projections.cast<Objects<2>>());
    options.candidates = AtMost(candidates, m[0]);
    return ToArray(Visit(m[0].dtype, [&](auto tag) {
      using In = const decltype(tag);
      return WithoutGil([&] {
        return NearestPairing(RowsOf<In>(m[0]), RowsOf<In>(m[1]), options);
      });
    }));
  }
  const Matrices<4> m =
      ParseMatrices(kFourProjections, projections.cast<Objects<4>>());
  options.candidates = AtMost(candidates, m[0]);
  return ToArray(Visit(m[0].dtype, [&](auto tag) {
    using In = const decltype(tag);
    return WithoutGil([&] {
      return NearestPairing(RowsOf<In>(m[0]), RowsOf<In>(m[1]),
                            RowsOf<In>(m[2]), RowsOf<In>(m[3]), options);
    });
  }));
}

// [n, candidates].
py::array_t<int64_t> Candidates(int64_t n, int64_t candidates, uint64_t seed) {
  const std::vector<int64_t> all =
      ValueOrThrow(NearestCandidates(n, candidates, seed));
  return py::array_t<int64_t>({n, candidates}, all.data());
}

// Asks for large pages for the part of `bytes` at `address` that can have them.
// New memory is cleared page by page as it is first written, which for
// gradients of 32 MB takes three times as long as the loss. (NumPy does the
// same for its arrays.) Only a wish, so that nobody is told if it is not
// granted.
void PreferLargePages(uintptr_t address, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + bytes) / page * page;
  if (begin < end) {
    (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  }
#endif
}

// LossResult::pair for Selection::kRandom, which needs no projections.
py::array_t<uint8_t> RandomPairs(int64_t n, uint64_t seed) {
  const double distances[4] = {};
  SelectionParameters parameters;
  parameters.seed = seed;
  std::vector<uint8_t> pairs(n);
  for (int64_t i = 0; i < n; ++i) {
    pairs[i] =
        reference::Choose(Selection::kRandom, distances, parameters, i).pair;
  }
  return ToArray(pairs);
}

template <absl::StatusOr<double> (&kMeter)(Rows<const float>)>
double Measure(const py::object& z) {
  const Array array = PlainRows(ParseMatrix("z", z));
  if (array.dtype == "float32") {
    py::gil_scoped_release release;
    return ValueOrThrow(kMeter(RowsOf<const float>(array)));
  }
  return Visit(array.dtype, [&](auto tag) {
    const Rows<const decltype(tag)> from = RowsOf<const decltype(tag)>(array);
    py::gil_scoped_release release;
    std::vector<float> copy;
    copy.reserve(from.rows() * from.cols());
    for (int64_t i = 0; i < from.rows(); ++i) {
      for (int64_t c = 0; c < from.cols(); ++c) {
        copy.push_back(static_cast<float>(from.row(i)[c]));
      }
    }
    // The memory of no elements may be null, which is not what is wrong then.
    copy.reserve(1);
    return ValueOrThrow(
        kMeter(Rows<const float>(copy.data(), from.rows(), from.cols())));
  });
}

PYBIND11_MODULE(_native, m) {
  m.attr("version") = GSG_VERSION_STRING;
  m.def("guided_loss", &GuidedLossOfFour, py::arg("views"), py::arg("options"),
        py::arg("out"));
  m.def("guided_loss_shared", &GuidedLossShared, py::arg("views"),
        py::arg("pairing"), py::arg("options"), py::arg("out"),
        py::arg("local_p") = py::tuple());
  m.def("prefer_large_pages", &PreferLargePages, py::arg("address"),
        py::arg("bytes"));
  m.def("select", &SelectOfFour, py::arg("projections"), py::arg("options"));
  m.def("select_shared", &SelectShared, py::arg("projections"),
        py::arg("pairing"), py::arg("options"));
  m.def("source_mask", &SourceMaskOf, py::arg("pair"));
  m.def("pairing", &Pairing, py::arg("n"), py::arg("seed"), py::arg("kind"));
  m.def("nearest_pairing", &NearestPairingOf, py::arg("projections"),
        py::arg("options"));
  m.def("nearest_candidates", &Candidates, py::arg("n"), py::arg("candidates"),
        py::arg("seed"));
  m.def("random_pairs", &RandomPairs, py::arg("n"), py::arg("seed"));
  m.def("step_seed", &StepSeed, py::arg("seed"), py::arg("step"));
  m.def("feature_std", &Measure<FeatureStd>, py::arg("z"));
  m.def("effective_rank", &Measure<EffectiveRank>, py::arg("z"));
}

}  // namespace
}  // namespace gsg
