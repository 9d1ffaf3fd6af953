#include "trainers/report/chart.h"

#include <cmath>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/report/markup.h"

namespace gsg {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

Chart Loss() {
  Chart chart;
  chart.title = "Loss";
  chart.note = "lower is better";
  chart.series = {{"train", {{1, 0}, {2, NAN}, {3, -1}}}};
  return chart;
}

// Epochs 1 and 3 span x = 52..316, values 0 and -1 with 6 % margin y = 20..164:
// 0 is at 20 + 144 * .06 / 1.12 = 27.7, -1 at 156.3.
TEST(RenderChartTest, PlacesMeasuredPointsByHand) {
  const std::string html = RenderChart(Loss());
  EXPECT_THAT(html, HasSubstr("<polyline points=\"52,27.7 316,156.3\"/>"));
  EXPECT_EQ(Count(html, "class=\"hit\""), 2);
  EXPECT_THAT(html, HasSubstr("aria-label=\"Loss over epochs 1 to 3; from 0.00 "
                              "to −1.00\""));
  EXPECT_THAT(html, HasSubstr("lower is better"));
  EXPECT_THAT(html, Not(HasSubstr("class=\"legend\"")));
  EXPECT_EQ(NestingFault(html), "");
}

TEST(RenderChartTest, ReferencesWidenTheAxisAndAreNamed) {
  Chart chart = Loss();
  chart.references = {{"raw <pixels>", 9}, {"not measured", NAN}};
  const std::string html = RenderChart(chart);
  EXPECT_THAT(html, HasSubstr(">raw &lt;pixels&gt;</text>"));
  EXPECT_THAT(html, Not(HasSubstr("not measured")));
  // 9 is now the top: 20 + 144 * .06 / 1.12.
  EXPECT_THAT(html, HasSubstr("y1=\"27.7\""));
}

TEST(RenderChartTest, FromZeroPutsZeroOnTheAxis) {
  Chart chart = Loss();
  chart.series = {{"", {{1, 50}, {2, 60}}}};
  EXPECT_THAT(RenderChart(chart), Not(HasSubstr(">0</text>")));
  chart.from_zero = true;
  EXPECT_THAT(RenderChart(chart),
              HasSubstr("y=\"168\" text-anchor=\"end\">0<"));
}

TEST(RenderChartTest, SeveralSeriesHaveALegend) {
  Chart chart = Loss();
  chart.series.push_back({"absent", {{1, NAN}}});
  chart.series.push_back({"x11, x21", {{1, -0.5}}});
  const std::string html = RenderChart(chart);
  EXPECT_THAT(html, HasSubstr("<li class=\"s0\">train</li><li class=\"s2\">"
                              "x11, x21</li>"));
  EXPECT_THAT(html, Not(HasSubstr("absent")));
}

// Where the eight values of an epoch are read, the fifth begins a line.
TEST(RenderChartTest, ManySeriesAreReadInTwoLines) {
  Chart chart = Loss();
  chart.series.clear();
  for (int s = 0; s < 8; ++s) {
    chart.series.push_back({"run", {{1, 0.25 * s}}});
  }
  const std::string html = RenderChart(chart);
  EXPECT_EQ(Count(html, "dy=\"13\""), 1);
  EXPECT_THAT(html, HasSubstr("<tspan class=\"s4\" x=\"322\" dy=\"13\">1.00<"));
  EXPECT_EQ(NestingFault(html), "");
}

// Values 1 to -1 with 6 % margin: 1 is at 27.7, 0 at 92, -1 at 156.3. The band
// counts for the axis and runs along its upper edge first.
TEST(RenderChartTest, PlacesTheBandByHand) {
  Chart chart = Loss();
  chart.series[0].points = {{1, 0}, {3, 0}};
  chart.series[0].band = {{1, -1, 1}, {2, NAN, NAN}, {3, 0, 0}};
  const std::string html = RenderChart(chart);
  EXPECT_THAT(html, HasSubstr("<polygon class=\"band s0\" points=\"52,27.7 "
                              "316,92 316,92 52,156.3\"/>"));
  EXPECT_EQ(NestingFault(html), "");
  EXPECT_THAT(RenderChart(Loss()), Not(HasSubstr("band")));
}

// The values of the axis are whole: 1,000,000 takes some 62 pixels.
TEST(RenderChartTest, LongLabelsMoveThePlot) {
  Chart chart = Loss();
  chart.series = {{"", {{1, 1e6}, {3, 3e6}}}};
  const std::string html = RenderChart(chart);
  EXPECT_THAT(html, HasSubstr("x=\"64.1\" y="));
  EXPECT_THAT(html, HasSubstr("<line x1=\"70.1\""));
}

TEST(RenderChartTest, NamesOfNearReferencesLieOnBothSides) {
  Chart chart = Loss();
  chart.references = {{"lower", 8.9}, {"upper", 9}};
  const std::string html = RenderChart(chart);
  // The axis: -1 to 9 with 6 % margin. 9 is at 27.7, 8.9 at 29.
  EXPECT_THAT(html, HasSubstr("y=\"22.7\" text-anchor=\"end\">upper<"));
  EXPECT_THAT(html, HasSubstr("y=\"42\" text-anchor=\"end\">lower<"));
}

TEST(RenderChartTest, ValuesAreInATable) {
  Chart chart = Loss();
  chart.series.push_back({"other", {{3, 0.5}}});
  const std::string html = RenderChart(chart);
  EXPECT_THAT(html, HasSubstr("<summary>Values</summary>"));
  EXPECT_THAT(html, HasSubstr("<tr><th scope=\"row\">1</th><td>0.00</td>"
                              "<td>–</td></tr><tr><th scope=\"row\">3</th>"
                              "<td>−1.00</td><td>0.50</td></tr>"));
  chart.series = {{"train", {}}};
  for (int epoch = 1; epoch <= 1000; ++epoch) {
    chart.series[0].points.emplace_back(epoch, epoch);
  }
  const std::string thinned = RenderChart(chart);
  EXPECT_EQ(Count(thinned, "<tr>"), 51);
  EXPECT_THAT(thinned, HasSubstr("<td>1,000.00</td></tr></tbody>"));
}

TEST(RenderChartTest, SmallValuesAreNotZero) {
  Chart chart = Loss();
  chart.decimals = -2;
  chart.series = {{"", {{1, 0.05}, {2, 1.23e-6}}}};
  EXPECT_THAT(RenderChart(chart), HasSubstr("<strong>1.2e−6</strong>"));
}

TEST(RenderChartTest, NothingMeasuredIsNoChart) {
  Chart chart = Loss();
  chart.series = {{"train", {{1, NAN}, {2, INFINITY}}}};
  EXPECT_EQ(RenderChart(chart), "");
}

TEST(RenderChartTest, OnePointAndEqualPointsHaveAnAxis) {
  for (const double value : {0.0, 1.0, -3e8, 1e-12}) {
    Chart chart = Loss();
    chart.series = {{"", {{7, value}}}};
    const std::string html = RenderChart(chart);
    EXPECT_THAT(html, ContainsRegex("<polyline points=\"[0-9.]+,92\"/>"));
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, Not(HasSubstr("inf")));
  }
}

// 100,000 epochs stay readable and light: no markers, some 200 hover strips.
TEST(RenderChartTest, LongRunsAreThinned) {
  Chart chart = Loss();
  chart.series[0].points.clear();
  for (int epoch = 1; epoch <= 100000; ++epoch) {
    chart.series[0].points.emplace_back(epoch, std::sin(epoch));
  }
  const std::string html = RenderChart(chart);
  EXPECT_EQ(Count(html, "class=\"hit\""), 200);
  EXPECT_EQ(Count(html, "r=\"2.2\""), 0);
}

}  // namespace
}  // namespace gsg
