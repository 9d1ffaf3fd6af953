// SPDX-License-Identifier: Apache-2.0
#include "gsg_core/meters.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "Eigen/Core"
#include "Eigen/Eigenvalues"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/config.h"
#include "gsg_core/internal/checks.h"
#include "gsg_core/norm.h"
#include "gsg_core/rows.h"
#include "gsg_core/status_macros.h"

namespace gsg {
GSG_NAMESPACE_BEGIN
namespace {

using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

absl::StatusOr<Matrix> CheckedCopy(Rows<const float> z) {
  const core_internal::NamedRows<float> arguments[] = {{"z", z}};
  absl::Status status = core_internal::CheckShapes<float>(arguments);
  if (status.ok()) status = core_internal::CheckFinite<float>(arguments);
  if (!status.ok()) return status;
  Matrix copy(z.rows(), z.cols());
  for (int64_t i = 0; i < z.rows(); ++i) {
    std::copy_n(z.row(i), z.cols(), copy.row(i).data());
  }
  return copy;
}

}  // namespace

absl::StatusOr<double> FeatureStd(Rows<const float> z) {
  GSG_ASSIGN_OR_RETURN(Matrix features, CheckedCopy(z));
  for (auto row : features.rowwise()) {
    row /= std::max(row.norm(), kNormEpsilon);
  }
  features.rowwise() -= features.colwise().mean().eval();
  const double rows = static_cast<double>(z.rows());
  const double cols = static_cast<double>(z.cols());
  const double mean_deviation =
      (features.colwise().squaredNorm() / rows).cwiseSqrt().mean();
  return mean_deviation * std::sqrt(cols);
}

absl::StatusOr<double> EffectiveRank(Rows<const float> z) {
  GSG_ASSIGN_OR_RETURN(Matrix features, CheckedCopy(z));
  features.rowwise() -= features.colwise().mean().eval();
  // X^T X and X X^T have the same eigenvalues but for zeros: take the smaller.
  Eigen::MatrixXd gram;
  if (features.rows() < features.cols()) {
    gram = features * features.transpose();
  } else {
    gram = features.transpose() * features;
  }
  const Eigen::ArrayXd eigenvalues =
      Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram,
                                                     Eigen::EigenvaluesOnly)
          .eigenvalues()
          .array()
          .max(0.0);  // rounding leaves small negative ones
  const double total = eigenvalues.sum();
  if (total == 0) return 0;
  double entropy = 0;
  for (const double eigenvalue : eigenvalues) {
    const double q = eigenvalue / total;
    if (q > 0) entropy -= q * std::log(q);
  }
  return std::exp(entropy);
}

GSG_NAMESPACE_END
}  // namespace gsg
