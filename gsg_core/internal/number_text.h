// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_NUMBER_TEXT_H_
#define GSG_GSG_CORE_INTERNAL_NUMBER_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gsg_core/config.h"
#include "gsg_core/internal/bits.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

// A number in an error. absl::StrCat of those that are not finite depends on
// how Abseil was compiled: under -ffast-math it does not know them.
inline std::string NumberText(double value) {
  if (IsFinite(value)) return absl::StrCat(value);
  const uint64_t bits = BitsOf(value);
  if ((bits & 0x000fffffffffffffu) != 0) return "nan";
  return bits >> 63 != 0 ? "-inf" : "inf";
}

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_NUMBER_TEXT_H_
