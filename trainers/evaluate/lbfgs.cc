#include "trainers/evaluate/lbfgs.h"

#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"

namespace gsg {
namespace {

constexpr size_t kHistory = 10;
constexpr double kSufficientDecrease = 1e-4;
constexpr int kMaxHalvings = 40;
// Relative rounding of f that does not count as ascent: near the minimum the
// gradient still tells direction when differences of f no longer do.
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();

// One step and the change of gradient over it.
struct Correction {
  at::Tensor step;
  at::Tensor change;
  double curvature;  // <step, change> > 0
};

double Dot(const at::Tensor& a, const at::Tensor& b) {
  return a.dot(b).item<double>();
}

double LargestEntry(const at::Tensor& x) {
  return x.abs().max().item<double>();
}

// -H gradient, H the inverse Hessian that the corrections imply: the two-loop
// recursion, algorithm 7.4.
at::Tensor Direction(const at::Tensor& gradient,
                     const std::deque<Correction>& history) {
  at::Tensor direction = gradient.neg();
  if (history.empty()) return direction;
  std::vector<double> alpha(history.size());
  for (size_t i = history.size(); i-- > 0;) {
    const Correction& c = history[i];
    alpha[i] = Dot(c.step, direction) / c.curvature;
    direction.sub_(c.change, alpha[i]);
  }
  const Correction& last = history.back();
  direction.mul_(last.curvature / Dot(last.change, last.change));
  for (size_t i = 0; i < history.size(); ++i) {
    const Correction& c = history[i];
    const double beta = Dot(c.change, direction) / c.curvature;
    direction.add_(c.step, alpha[i] - beta);
  }
  return direction;
}

}  // namespace

LbfgsResult MinimizeLbfgs(at::Tensor x, Objective objective,
                          const LbfgsOptions& options) {
  LbfgsResult result;
  std::deque<Correction> history;
  at::Tensor gradient;
  double value = objective(x, gradient);
  while (LargestEntry(gradient) > options.tolerance &&
         result.iterations < options.iterations) {
    const at::Tensor direction = Direction(gradient, history);
    const double slope = Dot(gradient, direction);
    const double bound = value + kRounding * std::abs(value);
    double scale = 1;
    at::Tensor next_x, next_gradient;
    double next_value = value;
    int halvings = 0;
    for (; halvings < kMaxHalvings; ++halvings, scale /= 2) {
      next_x = x.add(direction, scale);
      next_value = objective(next_x, next_gradient);
      // Written so that a NaN value is halved away too.
      if (next_value <= bound + kSufficientDecrease * scale * slope) break;
    }
    if (halvings == kMaxHalvings) break;
    Correction correction = {next_x.sub(x), next_gradient.sub(gradient), 0};
    correction.curvature = Dot(correction.step, correction.change);
    if (correction.curvature > 0) {  // fails by rounding only
      history.push_back(std::move(correction));
      if (history.size() > kHistory) history.pop_front();
    }
    x = next_x;
    gradient = next_gradient;
    value = next_value;
    ++result.iterations;
  }
  result.x = x;
  result.value = value;
  result.gradient = LargestEntry(gradient);
  result.converged = result.gradient <= options.tolerance;
  return result;
}

}  // namespace gsg
