// Carrying a study out: its runs, and what is written of them.

#ifndef GSG_TRAINERS_STUDY_SESSION_H_
#define GSG_TRAINERS_STUDY_SESSION_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trainers/study/plan.h"
#include "trainers/study/study.h"

namespace gsg {

struct SessionOptions {
  std::string name;        // of the study, for a terminal
  std::string output_dir;  // study.md, .csv, .json and report.html
  PlanOptions plan;
  int64_t jobs = 1;     // runs at once
  std::string command;  // that repeats it, for the report
  std::string source;   // version of this project, "" if it is not known
};

inline constexpr char kStudyLog[] = "log.txt";           // of a run's folder
inline constexpr char kStudyStarts[] = "started.jsonl";  // likewise

// The arms, and a line of shell for each run: what RunStudy would do.
std::string DescribePlan(const Study& study,
                         const std::vector<PlannedRun>& runs);

// Runs what is not finished yet. After each run the files in output_dir are
// written anew, and a line says how far it is. Other runs go on when one fails.
// *interrupted is the signal that ended it early, or 0.
// Errors: kAborted, with the end of their logs, if runs failed; kUnavailable if
// another study is at work in runs_dir; PlanRuns' and the file system's.
absl::Status RunStudy(const Study& study, const SessionOptions& options,
                      int* interrupted);

// Writes the files from the runs that have finished, and prints the table.
// Errors: PlanRuns' and the file system's; kDataLoss for a run that cannot be
// read.
absl::Status ReportStudy(const Study& study, const SessionOptions& options);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_SESSION_H_
