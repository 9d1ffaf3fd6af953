#include "trainers/report/scatter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "trainers/report/html.h"

namespace gsg {
namespace {

constexpr double kSize = 640;  // SVG user units, a square
constexpr double kMargin = 24;

// Tableau's ten for as many classes; hues a golden angle apart beyond that.
std::string ClassColor(int64_t label, size_t classes) {
  static constexpr const char* kTen[] = {
      "#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f",
      "#c9a227", "#b07aa1", "#ff7f9e", "#9c755f", "#8a8f98"};
  if (classes <= 10) return kTen[label];
  return absl::StrCat("hsl(",
                      std::fmod(137.5 * static_cast<double>(label), 360),
                      " 60% ", label % 2 == 0 ? 45 : 62, "%)");
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string RenderScatter(absl::Span<const MapPoint> points,
                          const std::vector<std::string>& classes) {
  double left = points[0].x, right = left, bottom = points[0].y, top = bottom;
  for (const MapPoint& point : points) {
    left = std::min<double>(left, point.x);
    right = std::max<double>(right, point.x);
    bottom = std::min<double>(bottom, point.y);
    top = std::max<double>(top, point.y);
  }
  // One scale for both axes: distances are what the map shows.
  const double extent = std::max({right - left, top - bottom, 1e-30});
  const double scale = (kSize - 2 * kMargin) / extent;
  auto x = [&](double value) {
    return kSize / 2 + (value - (left + right) / 2) * scale;
  };
  auto y = [&](double value) {
    return kSize / 2 - (value - (bottom + top) / 2) * scale;
  };

  struct Group {
    std::string circles;
    std::vector<double> xs, ys;
  };
  std::map<int64_t, Group> groups;
  for (const MapPoint& point : points) {
    Group& group = groups[point.label];
    group.xs.push_back(x(point.x));
    group.ys.push_back(y(point.y));
    absl::StrAppend(&group.circles, "<circle cx=\"", Svg(group.xs.back()),
                    "\" cy=\"", Svg(group.ys.back()), "\" r=\"3.4\"/>");
  }

  std::string style, dots, names, legend;
  for (const auto& [label, group] : groups) {
    const std::string name = EscapeHtml(classes[label]);
    const std::string color = ClassColor(label, classes.size());
    absl::StrAppend(&style, ".map:has(.l", label, ":hover) .k:not(.k", label,
                    "){opacity:.08}");
    absl::StrAppend(&dots, "<g class=\"k k", label, "\" fill=\"", color,
                    "\"><title>", name, "</title>", group.circles, "</g>");
    absl::StrAppend(&names, "<text class=\"k k", label, "\" x=\"",
                    Svg(Median(group.xs)), "\" y=\"", Svg(Median(group.ys) + 5),
                    "\">", name, "</text>");
    absl::StrAppend(&legend, "<li class=\"l", label, "\" style=\"color:", color,
                    "\"><span>", name, "</span></li>");
  }
  const std::string size = Svg(kSize);
  return absl::StrCat(
      "<figure class=\"map\"><style>", style, "</style><svg viewBox=\"0 0 ",
      size, " ", size, "\" role=\"img\" aria-label=\"Map of ", points.size(),
      " images in ", groups.size(), " classes\">", dots, "<g class=\"names\">",
      names, "</g></svg><ul class=\"legend\">", legend, "</ul></figure>\n");
}

}  // namespace gsg
