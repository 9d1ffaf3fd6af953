#include "trainers/study/statistics.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"

namespace gsg {
namespace {

constexpr double kConfidence = 0.95;
const double kHalfPi = std::acos(0.0);

// P(|T| <= sqrt(degrees) tan(theta)).
double Coverage(double theta, int64_t degrees) {
  const double cos2 = std::cos(theta) * std::cos(theta);
  const bool odd = degrees % 2 == 1;
  // Odd:  2/pi (theta + sin cos (1 + 2/3 cos^2 + (2 4)/(3 5) cos^4 + ...))
  // Even: sin (1 + 1/2 cos^2 + (1 3)/(2 4) cos^4 + ...)
  // Either has its last term at cos^(degrees - 2), counting the factor cos.
  double term = odd ? std::cos(theta) : 1;
  double sum = 0;
  for (int64_t k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    term *= cos2 * static_cast<double>(k + 1) / static_cast<double>(k + 2);
  }
  return odd ? (theta + std::sin(theta) * sum) / kHalfPi
             : std::sin(theta) * sum;
}

}  // namespace

Summary Summarize(absl::Span<const double> values) {
  Summary summary;
  double sum = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    ++summary.n;
    sum += value;
  }
  if (summary.n == 0) return summary;
  summary.mean = sum / static_cast<double>(summary.n);
  if (summary.n == 1) return summary;
  double squares = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    squares += (value - summary.mean) * (value - summary.mean);
  }
  summary.std = std::sqrt(squares / static_cast<double>(summary.n - 1));
  return summary;
}

Difference PairedDifference(absl::Span<const double> values,
                            absl::Span<const double> baseline) {
  CHECK_EQ(values.size(), baseline.size());
  std::vector<double> differences;
  for (size_t i = 0; i < values.size(); ++i) {
    differences.push_back(values[i] - baseline[i]);
  }
  const Summary summary = Summarize(differences);
  Difference result;
  result.n = summary.n;
  result.mean = summary.mean;
  if (summary.n < 2) return result;
  const double half = StudentQuantile(kConfidence, summary.n - 1) *
                      summary.std / std::sqrt(static_cast<double>(summary.n));
  result.low = summary.mean - half;
  result.high = summary.mean + half;
  return result;
}

double StudentQuantile(double confidence, int64_t degrees) {
  CHECK(confidence > 0 && confidence < 1) << confidence;
  CHECK_GE(degrees, 1);
  double low = 0, high = kHalfPi;
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (Coverage(middle, degrees) < confidence ? low : high) = middle;
  }
  return std::sqrt(static_cast<double>(degrees)) * std::tan(low);
}

}  // namespace gsg
