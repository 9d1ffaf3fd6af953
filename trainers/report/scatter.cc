#include "trainers/report/scatter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "trainers/report/html.h"

namespace gsg {
namespace {

constexpr double kSize = 640;  // SVG user units, a square
constexpr double kMargin = 24;

double Linear(double channel) {  // of sRGB
  return channel <= 0.04045 ? channel / 12.92
                            : std::pow((channel + 0.055) / 1.055, 2.4);
}

// WCAG's relative luminance of hsl(hue, saturation, lightness).
double Luminance(double hue, double saturation, double lightness) {
  const double a = saturation * std::min(lightness, 1 - lightness);
  const auto channel = [&](double n) {  // of CSS Color 4
    const double k = std::fmod(n + hue / 30, 12);
    return lightness - a * std::max(-1., std::min({k - 3, 9 - k, 1.}));
  };
  return 0.2126 * Linear(channel(0)) + 0.7152 * Linear(channel(8)) +
         0.0722 * Linear(channel(4));
}

// A color for each class: hues a golden angle apart. Of two luminances, in
// turn, that both stand out from the light page and from the dark one by 3 : 1
// (contrast of graphics, WCAG 2.2, 1.4.11), also at the points' opacity.
std::string ClassColor(int64_t label) {
  const double hue = std::fmod(212 + 137.508 * static_cast<double>(label), 360);
  const double saturation = label % 3 == 2 ? 0.45 : 0.72;
  const double wanted = label % 2 == 0 ? 0.17 : 0.23;
  double low = 0, high = 1;
  for (int step = 0; step < 20; ++step) {
    const double middle = (low + high) / 2;
    (Luminance(hue, saturation, middle) < wanted ? low : high) = middle;
  }
  return absl::StrFormat("hsl(%.0f %.0f%% %.1f%%)", hue, 100 * saturation,
                         100 * low);
}

struct Name {
  double x, y;
  std::string text;  // as shown, not escaped
};

constexpr double kNameHeight = 18;
constexpr double kLetter = 8.2;  // the width of one, at 14 pixels and bold

double HalfWidth(const Name& name) {
  const auto letters = std::count_if(name.text.begin(), name.text.end(),
                                     [](char c) { return (c & 0xC0) != 0x80; });
  return std::min(kSize, kLetter * static_cast<double>(letters) + 6) / 2;
}

// Moves names up or down, as little as possible, until none lies on another,
// and inside the map.
void Spread(std::vector<Name>* names) {
  std::vector<const Name*> placed;
  for (Name& name : *names) {
    const double half = HalfWidth(name);
    name.x = std::clamp(name.x, half, kSize - half);
    const double wanted = name.y;
    const auto free = [&] {
      return name.y >= kNameHeight && name.y <= kSize - 4 &&
             std::none_of(placed.begin(), placed.end(), [&](const Name* other) {
               return std::abs(other->y - name.y) < kNameHeight &&
                      std::abs(other->x - name.x) < half + HalfWidth(*other);
             });
    };
    // A map that is full of names keeps the rest where they are.
    for (int step = 0; step < 2 * kSize / kNameHeight * 6; ++step) {
      const double by = (step + 1) / 2 * kNameHeight / 6;
      name.y = step % 2 == 0 ? wanted + by : wanted - by;
      if (free()) break;
      name.y = wanted;
    }
    placed.push_back(&name);
  }
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

  std::string style, dots, texts, legend;
  std::vector<Name> names;
  for (const auto& [label, group] : groups) {
    const std::string name = EscapeHtml(classes[label]);
    const std::string color = ClassColor(label);
    for (const char* state : {"hover", "focus-visible"}) {
      absl::StrAppend(&style, ".map:has(.l", label, ":", state, ") .k:not(.k",
                      label, "){opacity:.08}");
    }
    absl::StrAppend(&dots, "<g class=\"k k", label, "\" fill=\"", color,
                    "\"><title>", name, "</title>", group.circles, "</g>");
    names.push_back({Median(group.xs), Median(group.ys) + 5, classes[label]});
    absl::StrAppend(&legend, "<li tabindex=\"0\" class=\"l", label,
                    "\" style=\"color:", color, "\"><span>", name,
                    "</span></li>");
  }
  Spread(&names);
  size_t place = 0;
  for (const auto& [label, group] : groups) {
    const Name& name = names[place++];
    absl::StrAppend(&texts, "<text class=\"k k", label, "\" x=\"", Svg(name.x),
                    "\" y=\"", Svg(name.y), "\">", EscapeHtml(name.text),
                    "</text>");
  }
  const std::string size = Svg(kSize);
  return absl::StrCat(
      "<figure class=\"map\"><style>", style, "</style><svg viewBox=\"0 0 ",
      size, " ", size, "\" role=\"img\" aria-label=\"Map of ", points.size(),
      " images in ", groups.size(), " classes\">", dots, "<g class=\"names\">",
      texts, "</g></svg><ul class=\"legend\">", legend, "</ul></figure>\n");
}

}  // namespace gsg
