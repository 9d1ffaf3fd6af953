#ifndef GSG_TRAINERS_STUDY_METRIC_H_
#define GSG_TRAINERS_STUDY_METRIC_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "trainers/run/read_run.h"

namespace gsg {

// A number that a finished run has, and how to show it.
struct Metric {
  absl::string_view name;     // in study files
  absl::string_view heading;  // of a column
  int decimals;
  double (*of)(const RunSummary& run);  // kUnknown: not measured
};

// knn_top1, linear_top1: percent, of all images at the end. loss, feature_std,
// effective_rank: of the last epoch. minutes: of training.
const std::vector<Metric>& Metrics();

// Null for another name.
const Metric* FindMetric(absl::string_view name);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_METRIC_H_
