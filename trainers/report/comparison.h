#ifndef GSG_TRAINERS_REPORT_COMPARISON_H_
#define GSG_TRAINERS_REPORT_COMPARISON_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "trainers/report/chart.h"
#include "trainers/run/read_run.h"

namespace gsg {

inline constexpr size_t kMostComparedRuns = kMostSeries;

// One HTML page of 1 to kMostComparedRuns runs: scores in a table, the curves
// of all runs in one chart each, and the settings in which they differ (a dash
// where a run does not have one). Needs nothing else, and has no script; text
// is escaped.
std::string RenderComparison(const std::vector<RunSummary>& runs);

// Renders to `path`. Errors: those of WritePage (page.h).
absl::Status WriteComparison(const std::string& path,
                             const std::vector<RunSummary>& runs);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_COMPARISON_H_
