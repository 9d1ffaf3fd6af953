#ifndef GSG_TRAINERS_REPORT_COMPARISON_H_
#define GSG_TRAINERS_REPORT_COMPARISON_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "trainers/metrics/epoch_record.h"
#include "trainers/report/chart.h"

namespace gsg {

// A run among others. What is not measured is left out, as in a report.
struct ComparedRun {
  std::string name;
  std::vector<EpochRecord> epochs;  // in order
  // At the end, on all images; unknown if the run has not come there.
  Scores raw_pixels;
  Scores untrained;
  Scores trained;
  // Settings in the order in which to show them.
  std::vector<std::pair<std::string, std::string>> config;
};

inline constexpr size_t kMostComparedRuns = kMostSeries;

// One HTML page of 1 to kMostComparedRuns runs: scores in a table, the curves
// of all runs in one chart each, and the settings in which they differ (a dash
// where a run does not have one). Needs nothing else, and has no script; text
// is escaped.
std::string RenderComparison(const std::vector<ComparedRun>& runs);

// Renders to `path`. Errors: those of WritePage (page.h).
absl::Status WriteComparison(const std::string& path,
                             const std::vector<ComparedRun>& runs);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_COMPARISON_H_
