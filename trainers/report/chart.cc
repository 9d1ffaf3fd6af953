#include "trainers/report/chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trainers/report/html.h"
#include "trainers/report/ticks.h"

namespace gsg {
namespace {

// SVG user units; about a pixel each at the width the page gives a chart.
constexpr double kWidth = 330;
constexpr double kHeight = 190;
// At least; more for long labels of the axis.
constexpr double kLeft = 46;
constexpr double kDigit = 6.9;  // the width of one, at 12 pixels
constexpr double kLabelGap = 6;
constexpr double kRight = kWidth - 8;
constexpr double kTop = 20;
constexpr double kBottom = kHeight - 26;

constexpr size_t kMostMarkers = 40;
constexpr size_t kMostHoverStrips = 200;
constexpr size_t kMostRows = 50;  // of the table

// Maps [low, high] to [from, to].
struct Axis {
  double low, high, from, to;
  double operator()(double value) const {
    return from + (value - low) / (high - low) * (to - from);
  }
};

void Widen(double& low, double& high, double fraction) {
  const double size = std::max(std::abs(low), std::abs(high));
  const double least = size > 0 ? 1e-6 * size : 1;
  const double margin = std::max(fraction * (high - low), least);
  low -= margin;
  high += margin;
}

// A series and its color, which is its place among all: that of one run is the
// same in every chart, whatever was measured of the others.
struct Curve {
  Series series;
  size_t color;
};

// Drops points and ranges that are not measured, and series without points.
std::vector<Curve> MeasuredCurves(const std::vector<Series>& all) {
  std::vector<Curve> kept;
  for (size_t s = 0; s < all.size(); ++s) {
    Curve curve = {{all[s].name, {}}, s};
    for (const auto& point : all[s].points) {
      if (Measured(point.second)) curve.series.points.push_back(point);
    }
    for (const Range& range : all[s].band) {
      if (Measured(range.low) && Measured(range.high)) {
        curve.series.band.push_back(range);
      }
    }
    if (!curve.series.points.empty()) kept.push_back(std::move(curve));
  }
  return kept;
}

// Characters, of text in UTF-8.
size_t Length(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

// Where the plot begins, so that the labels of its axis are whole.
double LeftOf(double low, double high) {
  const Ticks rows = NiceTicks(low, high, 6);
  size_t longest = 0;
  for (const double value : rows.values) {
    longest = std::max(longest, Length(FormatNumber(value, rows.decimals)));
  }
  // Labels of a hundred digits would leave no plot.
  return std::clamp(kDigit * static_cast<double>(longest) + kLabelGap + 2,
                    kLeft, kWidth / 2);
}

std::string Grid(double left, const Axis& x, const Axis& y) {
  std::string svg = "<g class=\"grid\">";
  const Ticks rows = NiceTicks(y.low, y.high, 6);
  for (const double value : rows.values) {
    const std::string at = Svg(y(value));
    absl::StrAppend(&svg, "<line x1=\"", Svg(left), "\" x2=\"", Svg(kRight),
                    "\" y1=\"", at, "\" y2=\"", at, "\"/><text x=\"",
                    Svg(left - kLabelGap), "\" y=\"", Svg(y(value) + 4),
                    "\" text-anchor=\"end\">",
                    FormatNumber(value, rows.decimals), "</text>");
  }
  for (const double value : NiceTicks(x.low, x.high, 6, 1).values) {
    absl::StrAppend(&svg, "<text x=\"", Svg(x(value)), "\" y=\"",
                    Svg(kBottom + 17), "\" text-anchor=\"middle\">",
                    FormatNumber(value, 0), "</text>");
  }
  return svg + "</g>";
}

std::string References(double left, std::vector<Reference> references,
                       const Axis& y) {
  std::string svg = "<g class=\"reference\">";
  references.erase(std::remove_if(references.begin(), references.end(),
                                  [](const Reference& reference) {
                                    return !Measured(reference.value);
                                  }),
                   references.end());
  std::stable_sort(
      references.begin(), references.end(),
      [](const Reference& a, const Reference& b) { return a.value > b.value; });
  double above = -kHeight;  // the last line's place
  for (const Reference& reference : references) {
    const double line = y(reference.value);
    const std::string at = Svg(line);
    // Above its line, or below it where another's name is.
    const double name = line - above < 16 ? line + 13 : line - 5;
    above = line;
    absl::StrAppend(
        &svg, "<line x1=\"", Svg(left), "\" x2=\"", Svg(kRight), "\" y1=\"", at,
        "\" y2=\"", at, "\"/><text x=\"", Svg(kRight - 2), "\" y=\"", Svg(name),
        "\" text-anchor=\"end\">", EscapeHtml(reference.name), "</text>");
  }
  return svg + "</g>";
}

// Once around the curve: along the upper edge, and back along the lower one.
std::string Band(const Curve& curve, const Axis& x, const Axis& y) {
  const std::vector<Range>& band = curve.series.band;
  if (band.empty()) return "";
  std::string edge;
  for (auto range = band.begin(); range != band.end(); ++range) {
    absl::StrAppend(&edge, Svg(x(range->epoch)), ",", Svg(y(range->high)), " ");
  }
  for (auto range = band.rbegin(); range != band.rend(); ++range) {
    absl::StrAppend(&edge, Svg(x(range->epoch)), ",", Svg(y(range->low)), " ");
  }
  edge.pop_back();
  return absl::StrCat("<polygon class=\"band s", curve.color, "\" points=\"",
                      edge, "\"/>");
}

std::string Line(const Curve& curve, const Axis& x, const Axis& y) {
  std::string line, markers;
  for (const auto& [epoch, value] : curve.series.points) {
    const std::string at_x = Svg(x(epoch)), at_y = Svg(y(value));
    absl::StrAppend(&line, line.empty() ? "" : " ", at_x, ",", at_y);
    if (curve.series.points.size() <= kMostMarkers) {
      absl::StrAppend(&markers, "<circle cx=\"", at_x, "\" cy=\"", at_y,
                      "\" r=\"2.2\"/>");
    }
  }
  return absl::StrCat("<g class=\"s", curve.color, "\"><polyline points=\"",
                      line, "\"/>", markers, "</g>");
}

// One invisible strip per epoch that shows its values while pointed at.
std::string HoverStrips(const std::vector<Curve>& all, int decimals,
                        double left, const Axis& x, const Axis& y) {
  struct Mark {
    size_t color;
    double value;
  };
  std::map<double, std::vector<Mark>> epochs;
  for (const Curve& curve : all) {
    for (const auto& [epoch, value] : curve.series.points) {
      epochs[epoch].push_back({curve.color, value});
    }
  }
  const size_t stride = (epochs.size() - 1) / kMostHoverStrips + 1;
  const double width = (kRight - left) / std::max(1.0, x.high - x.low) *
                       static_cast<double>(stride);
  std::string svg;
  size_t count = 0;
  for (const auto& [epoch, marks] : epochs) {
    if (count++ % stride != 0) continue;
    const std::string at = Svg(x(epoch));
    std::string dots, readout = absl::StrCat("epoch ", FormatNumber(epoch, 0));
    for (size_t m = 0; m < marks.size(); ++m) {
      const Mark& mark = marks[m];
      absl::StrAppend(&dots, "<circle class=\"s", mark.color, "\" cx=\"", at,
                      "\" cy=\"", Svg(y(mark.value)), "\" r=\"3.5\"/>");
      // Four values fill a line.
      const std::string line =
          m > 0 && m % 4 == 0
              ? absl::StrCat("\" x=\"", Svg(kRight), "\" dy=\"13")
              : "\" dx=\"8";
      absl::StrAppend(&readout, "<tspan class=\"s", mark.color, line, "\">",
                      FormatNumber(mark.value, decimals), "</tspan>");
    }
    absl::StrAppend(&svg, "<g class=\"hit\"><rect x=\"",
                    Svg(x(epoch) - width / 2), "\" y=\"0\" width=\"",
                    Svg(width), "\" height=\"", Svg(kBottom), "\"/><line x1=\"",
                    at, "\" x2=\"", at, "\" y1=\"", Svg(kTop), "\" y2=\"",
                    Svg(kBottom), "\"/>", dots, "<text x=\"", Svg(kRight),
                    "\" y=\"11\" text-anchor=\"end\">", readout, "</text></g>");
  }
  return svg;
}

// The values, an epoch a row; of long runs some of them, and the last.
std::string Table(const std::vector<Curve>& all, const Chart& chart) {
  std::map<double, std::vector<double>> epochs;
  for (size_t c = 0; c < all.size(); ++c) {
    for (const auto& [epoch, value] : all[c].series.points) {
      std::vector<double>& row = epochs[epoch];
      row.resize(all.size(), NAN);
      row[c] = value;
    }
  }
  std::string html = absl::StrCat(
      "<details><summary>Values</summary><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead>"
      "<tr><th scope=\"col\">Epoch</th>");
  for (const Curve& curve : all) {
    absl::StrAppend(
        &html, "<th scope=\"col\">",
        EscapeHtml(curve.series.name.empty() ? chart.title : curve.series.name),
        "</th>");
  }
  html += "</tr></thead><tbody>";
  const size_t stride = (epochs.size() - 1) / kMostRows + 1;
  size_t place = 0;
  for (const auto& [epoch, values] : epochs) {
    // From the end, so that the last is there.
    if ((epochs.size() - 1 - place++) % stride != 0) continue;
    absl::StrAppend(&html, "<tr><th scope=\"row\">", FormatNumber(epoch, 0),
                    "</th>");
    for (const double value : values) {
      absl::StrAppend(&html, "<td>", FormatNumber(value, chart.decimals),
                      "</td>");
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div></details>";
}

std::string Legend(const std::vector<Curve>& all) {
  std::string html = "<ul class=\"legend\">";
  for (const Curve& curve : all) {
    absl::StrAppend(&html, "<li class=\"s", curve.color, "\">",
                    EscapeHtml(curve.series.name), "</li>");
  }
  return html + "</ul>";
}

}  // namespace

std::string RenderChart(const Chart& chart) {
  const std::vector<Curve> all = MeasuredCurves(chart.series);
  if (all.empty()) return "";
  const Series& main = all.front().series;
  double first = main.points[0].first, last = first;
  double low = main.points[0].second, high = low;
  for (const Curve& curve : all) {
    for (const auto& [epoch, value] : curve.series.points) {
      first = std::min(first, epoch);
      last = std::max(last, epoch);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    for (const Range& range : curve.series.band) {
      low = std::min(low, range.low);
      high = std::max(high, range.high);
    }
  }
  for (const Reference& reference : chart.references) {
    if (!Measured(reference.value)) continue;
    low = std::min(low, reference.value);
    high = std::max(high, reference.value);
  }
  if (chart.from_zero) low = std::min(low, 0.0);
  Widen(low, high, 0.06);
  if (chart.from_zero) low = std::max(low, 0.0);
  if (first == last) {
    first -= 1;
    last += 1;
  }
  const double left = LeftOf(low, high);
  const Axis x = {first, last, left + 6, kRight - 6};
  const Axis y = {low, high, kBottom, kTop};

  const std::string latest =
      FormatNumber(main.points.back().second, chart.decimals);
  const std::string label = absl::StrCat(
      chart.title, " over epochs ", FormatNumber(main.points.front().first, 0),
      " to ", FormatNumber(main.points.back().first, 0), "; from ",
      FormatNumber(main.points.front().second, chart.decimals), " to ", latest);
  std::string html = absl::StrCat(
      "<figure class=\"chart\"><figcaption><b>", EscapeHtml(chart.title),
      "</b>",
      chart.series.size() == 1 ? absl::StrCat("<strong>", latest, "</strong>")
                               : "",
      "<small>", EscapeHtml(chart.note), "</small></figcaption>");
  if (chart.series.size() > 1) html += Legend(all);
  absl::StrAppend(&html, "<svg viewBox=\"0 0 ", Svg(kWidth), " ", Svg(kHeight),
                  "\" role=\"img\" aria-label=\"", EscapeHtml(label), "\">",
                  Grid(left, x, y), References(left, chart.references, y));
  for (const Curve& curve : all) html += Band(curve, x, y);
  for (const Curve& curve : all) html += Line(curve, x, y);
  absl::StrAppend(&html, HoverStrips(all, chart.decimals, left, x, y), "</svg>",
                  Table(all, chart), "</figure>\n");
  return html;
}

}  // namespace gsg
