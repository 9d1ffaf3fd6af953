// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_METERS_H_
#define GSG_GSG_CORE_METERS_H_

#include "absl/status/statusor.h"
#include "gsg_core/config.h"
#include "gsg_core/rows.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Two signs of collapse, of features z [N, D] (any real unit). InvalidArgument
// if z is empty, null, has a stride below D or a value that is not finite.

// sqrt(D) times the mean over dimensions of the standard deviation over rows
// (divisor N) of z / max(||z||, 1e-8): 1 if directions are spread evenly over
// the sphere, 0 if all are the same (arXiv 2011.10566, section 4.1).
GSG_EXPORT absl::StatusOr<double> FeatureStd(Rows<const float> z);

// exp(-sum_k q_k ln q_k), q the eigenvalues of the covariance of the rows
// divided by their sum: the effective rank of Roy & Vetterli (EUSIPCO 2007)
// applied to the centered covariance, that is to squared singular values of the
// centered features. Between 1 and min(N - 1, D); 0 if all rows are equal.
// Costs O(N D min(N, D)) time and min(N, D)^2 doubles of memory.
GSG_EXPORT absl::StatusOr<double> EffectiveRank(Rows<const float> z);

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_METERS_H_
