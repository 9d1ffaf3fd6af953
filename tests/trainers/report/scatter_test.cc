#include "trainers/report/scatter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/report/markup.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

// The wider extent, 10 in x, spans 24..616; 5 in y keeps that scale, 59.2.
TEST(RenderScatterTest, KeepsProportionsAndPointsUp) {
  const std::vector<MapPoint> points = {{0, 0, 0}, {10, 5, 1}, {10, 5, 1}};
  const std::string html = RenderScatter(points, {"a & b", "c", "unused"});
  EXPECT_THAT(html, HasSubstr("<title>a &amp; b</title><circle cx=\"24\" "
                              "cy=\"468\" r=\"3.4\"/></g>"));
  EXPECT_THAT(html, HasSubstr("<circle cx=\"616\" cy=\"172\""));
  EXPECT_THAT(html, HasSubstr("Map of 3 images in 2 classes"));
  EXPECT_EQ(Count(html, "<li"), 2);
  EXPECT_EQ(NestingFault(html), "");
}

TEST(RenderScatterTest, OnePlaceForAllIsTheCentre) {
  const std::vector<MapPoint> points = {{3, 3, 0}, {3, 3, 0}};
  EXPECT_THAT(RenderScatter(points, {"a"}), HasSubstr("cx=\"320\" cy=\"320\""));
}

TEST(RenderScatterTest, HundredClassesHaveHundredColors) {
  std::vector<MapPoint> points;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    points.push_back({static_cast<float>(i), 0, i});
    names.push_back("class");
  }
  const std::string html = RenderScatter(points, names);
  std::set<std::string> colors;
  for (size_t at = html.find("fill=\"hsl("); at != html.npos;
       at = html.find("fill=\"hsl(", at + 1)) {
    colors.insert(html.substr(at, html.find(')', at) - at));
  }
  EXPECT_EQ(colors.size(), 100);
  EXPECT_EQ(NestingFault(html), "");
}

// By hue sectors, unlike what is tested.
std::array<double, 3> FromHsl(double hue, double saturation, double lightness) {
  const double chroma = (1 - std::abs(2 * lightness - 1)) * saturation;
  const double sector = hue / 60;
  const double x = chroma * (1 - std::abs(std::fmod(sector, 2) - 1));
  const std::array<double, 3> rgb =
      sector < 1   ? std::array<double, 3>{chroma, x, 0}
      : sector < 2 ? std::array<double, 3>{x, chroma, 0}
      : sector < 3 ? std::array<double, 3>{0, chroma, x}
      : sector < 4 ? std::array<double, 3>{0, x, chroma}
      : sector < 5 ? std::array<double, 3>{x, 0, chroma}
                   : std::array<double, 3>{chroma, 0, x};
  const double m = lightness - chroma / 2;
  return {rgb[0] + m, rgb[1] + m, rgb[2] + m};
}

double Luminance(const std::array<double, 3>& rgb) {
  const double weight[] = {0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    sum += weight[c] * (rgb[c] <= 0.04045
                            ? rgb[c] / 12.92
                            : std::pow((rgb[c] + 0.055) / 1.055, 2.4));
  }
  return sum;
}

TEST(RenderScatterTest, ColorsStandOutFromBothPages) {
  std::vector<MapPoint> points;
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) {
    points.push_back({static_cast<float>(i), 0, i});
    names.push_back("class");
  }
  const std::string html = RenderScatter(points, names);
  const std::array<double, 3> pages[] = {
      {1, 1, 1}, {0x1a / 255., 0x1c / 255., 0x20 / 255.}};
  constexpr double kOpacity = 0.9;  // of the points, in page_style.h
  int colors = 0;
  for (size_t at = html.find("fill=\"hsl("); at != html.npos;
       at = html.find("fill=\"hsl(", at + 1)) {
    double hue = 0, saturation = 0, lightness = 0;
    ASSERT_EQ(std::sscanf(html.c_str() + at, "fill=\"hsl(%lf %lf%% %lf%%", &hue,
                          &saturation, &lightness),
              3);
    ++colors;
    for (const auto& page : pages) {
      std::array<double, 3> seen =
          FromHsl(hue, saturation / 100, lightness / 100);
      for (int c = 0; c < 3; ++c) {
        seen[c] = kOpacity * seen[c] + (1 - kOpacity) * page[c];
      }
      const double a = Luminance(seen) + 0.05, b = Luminance(page) + 0.05;
      EXPECT_GE(std::max(a, b) / std::min(a, b), 3) << hue;
    }
  }
  EXPECT_EQ(colors, 60);
}

// Two classes at one place, a third at the right border: no name lies on
// another, and all are inside.
TEST(RenderScatterTest, NamesDoNotCollide) {
  const std::vector<MapPoint> points = {
      {0, 0, 0}, {5, 5, 1}, {5, 5, 2}, {5, 5.01f, 3}, {10, 10, 4}};
  const std::string html = RenderScatter(
      points, {"a", "first name", "second name", "third", "at the border"});
  struct Box {
    double x, y, half;
  };
  std::vector<Box> boxes;
  for (size_t at = html.find("<text"); at != html.npos;
       at = html.find("<text", at + 1)) {
    Box box = {};
    ASSERT_EQ(std::sscanf(html.c_str() + html.find("x=", at),
                          "x=\"%lf\" y=\"%lf\"", &box.x, &box.y),
              2);
    const size_t begin = html.find('>', at) + 1;
    box.half = 7.5 * static_cast<double>(html.find('<', begin) - begin) / 2;
    boxes.push_back(box);
  }
  ASSERT_EQ(boxes.size(), 5);
  for (size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_GE(boxes[i].x - boxes[i].half, 0);
    EXPECT_LE(boxes[i].x + boxes[i].half, 640);
    for (size_t j = 0; j < i; ++j) {
      EXPECT_TRUE(std::abs(boxes[i].y - boxes[j].y) >= 14 ||
                  std::abs(boxes[i].x - boxes[j].x) >=
                      boxes[i].half + boxes[j].half)
          << i << " " << j;
    }
  }
}

TEST(RenderScatterTest, TheLegendCanBeFocused) {
  const std::string html = RenderScatter({{0, 0, 0}, {1, 1, 1}}, {"a", "b"});
  EXPECT_EQ(Count(html, "<li tabindex=\"0\""), 2);
  EXPECT_EQ(Count(html, ":focus-visible"), 2);
}

}  // namespace
}  // namespace gsg
