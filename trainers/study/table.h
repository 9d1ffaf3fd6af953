#ifndef GSG_TRAINERS_STUDY_TABLE_H_
#define GSG_TRAINERS_STUDY_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainers/run/read_run.h"
#include "trainers/study/statistics.h"
#include "trainers/study/study.h"

namespace gsg {

// The finished runs of a study: results[arm][seed], indices as in Study.
using StudyResults = std::vector<std::vector<std::optional<RunSummary>>>;

struct StudyRow {
  int64_t finished = 0;
  // Of them: those that end with feature_std below their collapse_threshold.
  int64_t collapsed = 0;
  // Each by metric, indices as in Study::metrics.
  std::vector<std::vector<double>> values;  // by seed; kUnknown: not there
  std::vector<Summary> summaries;
  std::vector<Difference> differences;  // from the baseline's
};

// By arm. What stands in it is measured on the finished runs alone.
using StudyTable = std::vector<StudyRow>;

StudyTable Tabulate(const Study& study, const StudyResults& results);

// Mean and standard deviation over seeds, and the differences from the baseline
// with their 95 % intervals: for a terminal, as two Markdown tables, as a line
// of CSV for each arm and metric, and, with every run's value, as JSON. What is
// not measured is a dash, an empty cell, null.
std::string TableText(const Study& study, const StudyTable& table);
std::string TableMarkdown(const Study& study, const StudyTable& table);
std::string TableCsv(const Study& study, const StudyTable& table);
std::string TableJson(const Study& study, const StudyTable& table);

// Cells as a person reads them: "81.15 ± 0.12", and "+0.42 [−0.10, +0.94]";
// a dash if there is nothing, no spread or interval with one run alone.
std::string SummaryCell(const Summary& summary, int decimals);
std::string DifferenceCell(const Difference& difference, int decimals);

// The arm's name, and what to know of it: "max (1 of 3 collapsed)".
std::string ArmLabel(const Study& study, const StudyTable& table, size_t arm);

// Explains the differences to readers of the table.
extern const char kDifferenceNote[];

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_TABLE_H_
