// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_CHECKS_H_
#define GSG_GSG_CORE_INTERNAL_CHECKS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/config.h"
#include "gsg_core/rows.h"

// The InvalidArgument errors of gsg_core's functions. Instantiated for float,
// double, Half and BFloat16. What //cuda calls, too, is exported.
namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// An argument as errors call it.
template <typename T>
struct NamedRows {
  absl::string_view name;
  Rows<const T> rows;
};

// All have the shape of the first, which is not empty; data is not null and
// strides are wide enough.
template <typename T>
GSG_EXPORT absl::Status CheckShapes(absl::Span<const NamedRows<T>> arguments);

// The grads have the shape of the first input, as in CheckShapes, and share no
// element with the inputs or each other. (Columns side by side in one buffer
// are fine.)
template <typename T>
GSG_EXPORT absl::Status CheckGrads(absl::Span<const NamedRows<T>> grads,
                                   absl::Span<const NamedRows<T>> inputs);

// Names the first value, in the order of the arguments, that is not finite.
template <typename T>
absl::Status CheckFinite(absl::Span<const NamedRows<T>> arguments);

// n entries of 0..n-1.
GSG_EXPORT absl::Status CheckPairing(absl::Span<const int64_t> pairing,
                                     int64_t n);

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_CHECKS_H_
