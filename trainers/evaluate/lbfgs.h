#ifndef GSG_TRAINERS_EVALUATE_LBFGS_H_
#define GSG_TRAINERS_EVALUATE_LBFGS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "absl/functional/function_ref.h"

namespace gsg {

// A smooth function of a float64 vector: returns f(x) and sets `gradient` to
// a new tensor of x's shape.
using Objective =
    absl::FunctionRef<double(const at::Tensor& x, at::Tensor& gradient)>;

struct LbfgsOptions {
  int64_t iterations = 100;
  double tolerance = 1e-5;  // on the largest absolute gradient entry
};

struct LbfgsResult {
  at::Tensor x;
  double value = 0;
  double gradient = 0;  // largest absolute entry at x
  int64_t iterations = 0;
  bool converged = false;  // gradient <= tolerance
};

// Minimises a strictly convex function from `x` by limited-memory BFGS with
// ten correction pairs (Nocedal and Wright, "Numerical Optimization", 2nd ed.,
// algorithms 7.4 and 7.5) and Armijo backtracking; strict convexity gives the
// curvature condition that a Wolfe search would otherwise ensure. Stops early,
// not converged, where rounding leaves no descent.
LbfgsResult MinimizeLbfgs(at::Tensor x, Objective objective,
                          const LbfgsOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_LBFGS_H_
