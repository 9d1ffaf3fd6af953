// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_INTERNAL_PAIRING_NAMES_H_
#define GSG_GSG_CORE_INTERNAL_PAIRING_NAMES_H_

#include <array>

#include "gsg_core/config.h"
#include "gsg_core/internal/names.h"
#include "gsg_core/pairing.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace core_internal {

inline constexpr std::array<Named<PairingKind>, 3> kPairingNames = {{
    {PairingKind::kCyclic, "cyclic"},
    {PairingKind::kRandom, "random"},
    {PairingKind::kNearest, "nearest"},
}};

}  // namespace core_internal
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_INTERNAL_PAIRING_NAMES_H_
