// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/internal/checks.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/half.h"
#include "gsg_core/internal/bits.h"
#include "gsg_core/internal/number_text.h"
#include "gsg_core/rows.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {
namespace {

template <typename T>
std::string Shape(const NamedRows<T>& argument) {
  return absl::StrCat(argument.name, " is ", argument.rows.rows(), " x ",
                      argument.rows.cols());
}

template <typename T>
absl::Status CheckShape(const NamedRows<T>& argument,
                        const NamedRows<T>& first) {
  const Rows<const T>& rows = argument.rows;
  if (rows.rows() < 1 || rows.cols() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        Shape(argument), "; it needs at least one row and one column"));
  }
  if (rows.rows() != first.rows.rows() || rows.cols() != first.rows.cols()) {
    return absl::InvalidArgumentError(absl::StrCat(
        Shape(argument), "; ", Shape(first), "; their shapes must be equal"));
  }
  if (rows.row_stride() < rows.cols()) {
    return absl::InvalidArgumentError(
        absl::StrCat(argument.name, " has a row stride of ", rows.row_stride(),
                     " elements; its rows have ", rows.cols(),
                     ", and the stride must not be less"));
  }
  if (rows.data() == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(argument.name, " has null data"));
  }
  return absl::OkStatus();
}

template <typename T>
bool Overlap(const Rows<const T>& a, const Rows<const T>& b) {
  const auto begin = [](const Rows<const T>& rows) {
    return reinterpret_cast<uintptr_t>(rows.data());
  };
  const auto end = [](const Rows<const T>& rows) {
    return reinterpret_cast<uintptr_t>(rows.row(rows.rows() - 1) + rows.cols());
  };
  if (end(a) <= begin(b) || end(b) <= begin(a)) return false;
  if (a.row_stride() != b.row_stride()) return true;
  // One lattice of rows: they are apart if b's columns fit between a's.
  const uintptr_t stride = a.row_stride() * sizeof(T);
  const uintptr_t width = a.cols() * sizeof(T);
  const uintptr_t offset = begin(a) <= begin(b)
                               ? (begin(b) - begin(a)) % stride
                               : stride - (begin(a) - begin(b)) % stride;
  return offset < width || offset + width > stride;
}

}  // namespace

template <typename T>
absl::Status CheckShapes(absl::Span<const NamedRows<T>> arguments) {
  for (const NamedRows<T>& argument : arguments) {
    absl::Status status = CheckShape(argument, arguments.front());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckGrads(absl::Span<const NamedRows<T>> grads,
                        absl::Span<const NamedRows<T>> inputs) {
  const auto overlap_error = [](const NamedRows<T>& a, const NamedRows<T>& b) {
    return absl::InvalidArgumentError(absl::StrCat(
        a.name, " overlaps ", b.name, "; gradients need memory of their own"));
  };
  for (size_t g = 0; g < grads.size(); ++g) {
    absl::Status status = CheckShape(grads[g], inputs.front());
    if (!status.ok()) return status;
    for (const NamedRows<T>& input : inputs) {
      if (Overlap(grads[g].rows, input.rows)) {
        return overlap_error(grads[g], input);
      }
    }
    for (const NamedRows<T>& other : grads.first(g)) {
      if (Overlap(grads[g].rows, other.rows)) {
        return overlap_error(grads[g], other);
      }
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckFinite(absl::Span<const NamedRows<T>> arguments) {
  for (const NamedRows<T>& argument : arguments) {
    for (int64_t i = 0; i < argument.rows.rows(); ++i) {
      for (int64_t c = 0; c < argument.rows.cols(); ++c) {
        const Arithmetic<T> value = argument.rows.row(i)[c];
        if (!IsFinite(value)) {
          return absl::InvalidArgumentError(absl::StrCat(
              argument.name, " has ", NumberText(value), " in row ", i,
              ", column ", c, "; all values must be finite"));
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPairing(absl::Span<const int64_t> pairing, int64_t n) {
  if (static_cast<int64_t>(pairing.size()) != n) {
    return absl::InvalidArgumentError(
        absl::StrCat("pairing has ", pairing.size(), " entries; there are ", n,
                     " rows, and each needs one"));
  }
  for (int64_t i = 0; i < n; ++i) {
    if (pairing[i] < 0 || pairing[i] >= n) {
      return absl::InvalidArgumentError(
          absl::StrCat("pairing[", i, "] is ", pairing[i],
                       "; entries are rows, 0..", n - 1));
    }
  }
  return absl::OkStatus();
}

#define GSG_INSTANTIATE(T)                                           \
  template absl::Status CheckShapes(absl::Span<const NamedRows<T>>); \
  template absl::Status CheckGrads(absl::Span<const NamedRows<T>>,   \
                                   absl::Span<const NamedRows<T>>);  \
  template absl::Status CheckFinite(absl::Span<const NamedRows<T>>);
GSG_INSTANTIATE(float)
GSG_INSTANTIATE(double)
GSG_INSTANTIATE(Half)
GSG_INSTANTIATE(BFloat16)
#undef GSG_INSTANTIATE

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg
