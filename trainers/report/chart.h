#ifndef GSG_TRAINERS_REPORT_CHART_H_
#define GSG_TRAINERS_REPORT_CHART_H_

#include <string>
#include <utility>
#include <vector>

namespace gsg {

// A line over epochs; points that are not measured are skipped.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // (epoch, value), ascending
};

// A dashed horizontal line to compare with.
struct Reference {
  std::string name;
  double value = 0;
};

struct Chart {
  std::string title;
  std::string note;  // what the curve says, one short line; may be empty
  std::vector<Series> series;
  std::vector<Reference> references;
  bool from_zero = false;  // the axis starts at 0
  int decimals = 2;        // of the values read from the curve
};

// At most eight series have a colour each, series by series the same in every
// chart.
//
// A <figure> with inline SVG, or nothing if no point is measured. Pointing at
// an epoch shows its values; that is done in CSS. Text is escaped.
std::string RenderChart(const Chart& chart);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_CHART_H_
