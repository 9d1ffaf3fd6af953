#ifndef GSG_TRAINERS_REPORT_TSNE_H_
#define GSG_TRAINERS_REPORT_TSNE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "Eigen/Core"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace gsg {

// Exact t-SNE (van der Maaten and Hinton, JMLR 9, 2008) onto the plane. There
// are no random numbers: the layout starts from the first two principal
// components. Time is O(n^2) an iteration and memory 8 n^2 bytes a matrix:
// meant for a thousand points or so.
struct TsneOptions {
  // Effective number of neighbors of a point, in 1..n-1 exclusive.
  double perplexity = 30;
  // The first third of them with exaggerated affinities, which lets clusters
  // form before the layout settles.
  int iterations = 300;
};

// features: [n, d] row-major; distances are Euclidean, so normalize the rows
// first for a cosine map. Returns n points centered on 0.
// Errors: kInvalidArgument if the size is not n * d, n < 4 or d < 1, a value
// is not finite, or an option is out of range.
absl::StatusOr<std::vector<std::array<float, 2>>> Tsne(
    absl::Span<const float> features, int64_t n, int64_t d,
    const TsneOptions& options = {});

// The parts, each with its own meaning and test.

// Row-wise conditional affinities p(j|i) = exp(-b_i D_ij) / sum, zero on the
// diagonal, each b_i chosen so that the row's perplexity (2 to its entropy in
// bits) is `perplexity`. D: [n, n] squared distances. Equation 1. A point with
// more exact copies than that keeps the copies' uniform distribution.
Eigen::MatrixXd ConditionalAffinities(const Eigen::MatrixXd& squared_distances,
                                      double perplexity);

// Gradient [n, 2] of KL(P || Q) with respect to the layout [n, 2]; `p` is
// symmetric with a zero diagonal and total 1. Equation 5. `exaggeration`
// multiplies p.
Eigen::MatrixX2d TsneGradient(const Eigen::MatrixXd& p,
                              const Eigen::MatrixX2d& layout,
                              double exaggeration = 1);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_TSNE_H_
