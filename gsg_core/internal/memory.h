// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_MEMORY_H_
#define GSG_GSG_CORE_INTERNAL_MEMORY_H_

#include <cstdint>
#include <new>
#include <stdexcept>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// make(), or ResourceExhausted if there is no memory for it: for results whose
// size is a number of the caller's, which no matrix of that size vouches for.
template <typename Make>
absl::StatusOr<std::vector<int64_t>> IfMemoryLasts(absl::string_view what,
                                                   const Make& make) {
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {  // more than addresses can name
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("there is no memory for ", what));
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_MEMORY_H_
