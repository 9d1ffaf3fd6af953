// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_NORM_H_
#define GSG_GSG_CORE_NORM_H_

#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Norms below this count as this, as in torch's cosine_similarity.
inline constexpr double kNormEpsilon = 1e-8;

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_NORM_H_
