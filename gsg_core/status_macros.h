// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_CORE_STATUS_MACROS_H_
#define GSG_CORE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression`, an absl::Status, if it is an error.
#define GSG_RETURN_IF_ERROR(expression)      \
  do {                                       \
    absl::Status gsg_status = (expression);  \
    if (!gsg_status.ok()) return gsg_status; \
  } while (false)

// Returns the status of `expression`, an absl::StatusOr<T>, if it is an error;
// else assigns its value to `lhs`, which may declare a variable. A type with a
// comma needs an alias.
#define GSG_ASSIGN_OR_RETURN(lhs, expression)                         \
  GSG_ASSIGN_OR_RETURN_IMPL_(GSG_CONCAT_(gsg_result_, __LINE__), lhs, \
                             expression)
#define GSG_ASSIGN_OR_RETURN_IMPL_(result, lhs, expression) \
  auto result = (expression);                               \
  if (!result.ok()) return std::move(result).status();      \
  lhs = *std::move(result)
#define GSG_CONCAT_(a, b) GSG_CONCAT_IMPL_(a, b)
#define GSG_CONCAT_IMPL_(a, b) a##b

#endif  // GSG_CORE_STATUS_MACROS_H_
