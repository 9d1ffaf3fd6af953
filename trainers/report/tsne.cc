#include "trainers/report/tsne.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "Eigen/Core"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"

namespace gsg {
namespace {

constexpr double kExaggeration = 12;
constexpr double kEarlyMomentum = 0.5;
constexpr double kMomentum = 0.8;

// Scores of the centered points on their first two principal components, from
// the points' Gram matrix by orthogonal iteration: a start for t-SNE needs the
// leading plane to a few digits only, and n may be far less than d.
Eigen::MatrixX2d PrincipalPlane(const Eigen::MatrixXd& gram) {
  const Eigen::Index n = gram.rows();
  const Eigen::ArrayXd angle = Eigen::ArrayXd::LinSpaced(n, 0, n - 1);
  Eigen::MatrixX2d basis(n, 2);
  basis << angle.cos(), angle.sin();
  for (int i = 0; i < 50; ++i) {
    basis = (gram * basis).eval();
    basis.col(0).normalize();
    // Twice: for points on a line the first pass leaves rounding noise only.
    for (int pass = 0; pass < 2; ++pass) {
      basis.col(1) -= basis.col(0).dot(basis.col(1)) * basis.col(0);
      basis.col(1).normalize();
    }
  }
  for (int c = 0; c < 2; ++c) {
    const double variance = basis.col(c).dot(gram * basis.col(c));
    basis.col(c) *= std::sqrt(std::max(variance, 0.0));
  }
  return basis;
}

absl::Status Validate(absl::Span<const float> features, int64_t n, int64_t d,
                      const TsneOptions& options) {
  if (n < 4 || d < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "t-SNE of ", n, " points of width ", d, "; needs at least 4 and 1"));
  }
  if (static_cast<int64_t>(features.size()) != n * d) {
    return absl::InvalidArgumentError(
        absl::StrCat("t-SNE got ", features.size(), " numbers; ", n, " x ", d,
                     " is ", n * d));
  }
  if (!std::all_of(features.begin(), features.end(),
                   [](float value) { return std::isfinite(value); })) {
    return absl::InvalidArgumentError(
        "t-SNE features hold a NaN or an infinity");
  }
  if (!(options.perplexity > 1 &&
        options.perplexity < static_cast<double>(n - 1))) {
    return absl::InvalidArgumentError(
        absl::StrCat("perplexity is ", options.perplexity, "; ", n,
                     " points allow values between 1 and ", n - 1));
  }
  if (options.iterations < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("iterations is ", options.iterations, "; need 0 or more"));
  }
  return absl::OkStatus();
}

}  // namespace

Eigen::MatrixXd ConditionalAffinities(const Eigen::MatrixXd& squared_distances,
                                      double perplexity) {
  const Eigen::Index n = squared_distances.rows();
  const double target = std::log(perplexity);
  Eigen::MatrixXd affinities(n, n);
  Eigen::ArrayXd distance(n), p(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    // Distances from the nearest neighbor on: the same p, no underflow.
    distance = squared_distances.col(i);
    distance(i) = INFINITY;
    distance -= distance.minCoeff();
    distance(i) = 0;
    const double mean = distance.sum() / static_cast<double>(n - 1);
    double beta = mean > 0 ? 1 / mean : 1;
    double low = 0, high = INFINITY;
    for (int step = 0; step < 100; ++step) {
      p = (-beta * distance).exp();
      p(i) = 0;
      const double sum = p.sum();
      p /= sum;
      const double entropy = std::log(sum) + beta * (p * distance).sum();
      if (std::abs(entropy - target) < 1e-8) break;
      // Entropy falls as beta rises.
      (entropy > target ? low : high) = beta;
      beta = std::isinf(high) ? 2 * beta : (low + high) / 2;
    }
    affinities.row(i) = p.matrix().transpose();
  }
  return affinities;
}

Eigen::MatrixX2d TsneGradient(const Eigen::MatrixXd& p,
                              const Eigen::MatrixX2d& layout,
                              double exaggeration) {
  const Eigen::Index n = layout.rows();
  Eigen::MatrixX2d attraction(n, 2), repulsion(n, 2);
  Eigen::ArrayXd dx(n), dy(n), kernel(n), weight(n);
  double total = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    dx = layout(i, 0) - layout.col(0).array();
    dy = layout(i, 1) - layout.col(1).array();
    kernel = (1 + dx.square() + dy.square()).inverse();
    kernel(i) = 0;
    total += kernel.sum();
    weight = p.col(i).array() * kernel;
    attraction.row(i) << (weight * dx).sum(), (weight * dy).sum();
    weight = kernel.square();
    repulsion.row(i) << (weight * dx).sum(), (weight * dy).sum();
  }
  return 4 * (exaggeration * attraction - repulsion / total);
}

absl::StatusOr<std::vector<std::array<float, 2>>> Tsne(
    absl::Span<const float> features, int64_t n, int64_t d,
    const TsneOptions& options) {
  GSG_RETURN_IF_ERROR(Validate(features, n, d, options));

  using RowMajorF =
      Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::MatrixXd x =
      Eigen::Map<const RowMajorF>(features.data(), n, d).cast<double>();
  x.rowwise() -= x.colwise().mean().eval();
  const Eigen::MatrixXd gram = x * x.transpose();
  const Eigen::VectorXd square = gram.diagonal();
  const Eigen::MatrixXd distances =
      ((-2 * gram).colwise() + square).rowwise() + square.transpose();
  const Eigen::MatrixXd conditional =
      ConditionalAffinities(distances.cwiseMax(0), options.perplexity);
  const Eigen::MatrixXd p =
      (conditional + conditional.transpose()) / (2.0 * static_cast<double>(n));

  // A start much smaller than the kernel's width, as in the paper. Features
  // that are all equal have no plane: they stay at 0.
  Eigen::MatrixX2d layout = PrincipalPlane(gram);
  const double spread = layout.col(0).norm() / std::sqrt(n);
  if (spread > 0) layout *= 1e-4 / spread;

  // Gradient descent with momentum and a gain per coordinate (Jacobs, 1988),
  // as in the authors' code; learning rate after Belkina et al., Nature
  // Communications 10 (2019).
  const double rate =
      std::max(static_cast<double>(n) / kExaggeration / 4, 50.0);
  Eigen::ArrayX2d velocity = Eigen::ArrayX2d::Zero(n, 2);
  Eigen::ArrayX2d gain = Eigen::ArrayX2d::Ones(n, 2);
  for (int i = 0; i < options.iterations; ++i) {
    const bool early = i < options.iterations / 3;
    const Eigen::ArrayX2d gradient =
        TsneGradient(p, layout, early ? kExaggeration : 1).array();
    gain = (gradient * velocity < 0).select(gain + 0.2, gain * 0.8).max(0.01);
    velocity = (early ? kEarlyMomentum : kMomentum) * velocity -
               rate * gain * gradient;
    layout.array() += velocity;
  }
  layout.rowwise() -= layout.colwise().mean().eval();

  std::vector<std::array<float, 2>> points(n);
  for (int64_t i = 0; i < n; ++i) {
    points[i] = {static_cast<float>(layout(i, 0)),
                 static_cast<float>(layout(i, 1))};
  }
  return points;
}

}  // namespace gsg
