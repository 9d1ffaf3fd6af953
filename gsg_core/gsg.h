// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_GSG_H_
#define GSG_GSG_CORE_GSG_H_

// All public headers but eigen.h, which includes Eigen. Names of distances,
// selections and pairings are read by parse.h.
#include "gsg_core/choice.h"
#include "gsg_core/distance.h"
#include "gsg_core/executor.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/meters.h"
#include "gsg_core/nearest_pairing.h"
#include "gsg_core/norm.h"
#include "gsg_core/pairing.h"
#include "gsg_core/parse.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"
#include "gsg_core/sequence.h"
#include "gsg_core/thread_pool.h"
#include "gsg_core/version.h"

#endif  // GSG_GSG_CORE_GSG_H_
