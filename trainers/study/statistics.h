// From a number a seed to mean, spread and what a difference is worth.

#ifndef GSG_TRAINERS_STUDY_STATISTICS_H_
#define GSG_TRAINERS_STUDY_STATISTICS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "trainers/run/epoch_record.h"

namespace gsg {

// Of n measured values.
struct Summary {
  int64_t n = 0;
  double mean = kUnknown;  // from n = 1 on
  double std = kUnknown;   // sqrt(sum (x - mean)^2 / (n - 1)), from n = 2 on
};

// Of those values that are finite.
Summary Summarize(absl::Span<const double> values);

// A mean of differences and the interval that holds the true one with 95 %
// confidence, if the differences are normal.
struct Difference {
  int64_t n = 0;           // pairs
  double mean = kUnknown;  // from n = 1 on
  double low = kUnknown;   // from n = 2 on
  double high = kUnknown;
};

// d = values - baseline, entry by entry, where both are finite; entry i of both
// is the same seed's, so that what a seed does to both cancels.
//   mean(d) -+ t(n - 1) std(d) / sqrt(n)
// t(k): two-sided 95 % quantile of Student's distribution with k degrees of
// freedom. The spans are of one size.
Difference PairedDifference(absl::Span<const double> values,
                            absl::Span<const double> baseline);

// The t for which P(|T| <= t) = confidence, T having Student's distribution
// with `degrees` >= 1 of freedom; 0 < confidence < 1. By the finite sums for
// whole degrees (Abramowitz and Stegun, 26.7.3 and 26.7.4) and bisection; exact
// to rounding.
double StudentQuantile(double confidence, int64_t degrees);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_STATISTICS_H_
