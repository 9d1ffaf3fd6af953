#include "trainers/report/scatter.h"

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
  EXPECT_THAT(html, HasSubstr("fill=\"hsl(0 60% 45%)\""));
  EXPECT_THAT(html, HasSubstr("fill=\"hsl(137.5 60% 62%)\""));
  EXPECT_EQ(NestingFault(html), "");
}

}  // namespace
}  // namespace gsg
