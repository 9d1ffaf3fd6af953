#ifndef GSG_TRAINERS_REPORT_CHART_H_
#define GSG_TRAINERS_REPORT_CHART_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace gsg {

// The smallest and the largest value of several runs at one epoch.
struct Range {
  double epoch = 0;
  double low = 0;
  double high = 0;
};

// A line over epochs; points that are not measured are skipped.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // (epoch, value), ascending
  std::vector<Range> band = {};  // shaded, ascending; may be empty
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
  int decimals = 2;        // of the values read from the curve; FormatNumber
};

// As many as there are colors. A series has its place's in every chart.
inline constexpr size_t kMostSeries = 8;
//
// A <figure> with inline SVG, or nothing if no point is measured. Pointing at
// an epoch shows its values; that is done in CSS. For the keyboard, and for who
// listens, the values are in a table that opens. Text is escaped.
std::string RenderChart(const Chart& chart);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_CHART_H_
