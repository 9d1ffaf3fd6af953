#include "trainers/report/comparison.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/report/markup.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<RunSummary> Sample() {
  RunSummary plain;
  plain.name = "plain";
  EpochRecord record;
  record.epoch = 1;
  record.loss = -0.25;
  record.seconds = 90;
  plain.epochs = {record};
  plain.raw_pixels.knn_top1 = 78.57;
  plain.trained = {81.5, 88.75};
  plain.config = {{"dataset", "mnist"}, {"epochs", "1"}, {"seed", "7"}};

  RunSummary guided = plain;
  guided.name = "guided & <bold>";
  record.epoch = 2;
  record.knn_top1 = 82.75;
  guided.epochs.push_back(record);
  guided.trained = {82.75, 88};
  guided.config = {{"dataset", "mnist"}, {"seed", "7"}, {"distance", "cosine"}};
  return {plain, guided};
}

TEST(RenderComparisonTest, SaysWhichRunIsAhead) {
  EXPECT_THAT(RenderComparison(Sample()),
              HasSubstr("By nearest neighbors, guided &amp; &lt;bold&gt; is "
                        "ahead with <b>82.8&nbsp;%</b>; by a linear "
                        "classifier, plain is ahead with <b>88.8&nbsp;%</b>."));
}

TEST(RenderComparisonTest, OnDifferentImagesNoneIsAhead) {
  std::vector<RunSummary> runs = Sample();
  runs[1].config[0].second = "cifar10";
  EXPECT_THAT(RenderComparison(runs), Not(HasSubstr("is ahead")));
}

TEST(RenderComparisonTest, ShowsTheSettingsInWhichRunsDiffer) {
  const std::string page = RenderComparison(Sample());
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">epochs</th><td>1</td>"
                              "<td>–</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">distance</th><td>–</td>"
                              "<td>cosine</td></tr>"));
  EXPECT_THAT(page, Not(HasSubstr("seed")));
  std::vector<RunSummary> runs = Sample();
  runs[1].config = runs[0].config;
  EXPECT_THAT(RenderComparison(runs), HasSubstr("All settings are the same."));
}

// k-NN was measured in the second run alone: it has its own color, not the
// first one's.
TEST(RenderComparisonTest, ARunHasOneColorInEveryChart) {
  const std::string page = RenderComparison(Sample());
  EXPECT_EQ(Count(page, "<polyline"), 3);  // one of k-NN, two of the loss
  EXPECT_EQ(Count(page, "<g class=\"s0\"><polyline"), 1);
  EXPECT_EQ(Count(page, "<g class=\"s1\"><polyline"), 2);
}

TEST(RenderComparisonTest, RawPixelsAreALineIfTheyAreTheSame) {
  std::vector<RunSummary> runs = Sample();
  EXPECT_THAT(RenderComparison(runs), HasSubstr(">raw pixels</text>"));
  runs[1].raw_pixels.knn_top1 = 50;
  EXPECT_THAT(RenderComparison(runs), Not(HasSubstr("raw pixels")));
}

TEST(RenderComparisonTest, OneRunIsShownAlone) {
  const std::string page = RenderComparison({Sample()[0]});
  EXPECT_THAT(page, HasSubstr("<h1>The run plain</h1>"));
  EXPECT_THAT(page, HasSubstr("<dt>seed</dt><dd>7</dd>"));
  EXPECT_THAT(page, Not(HasSubstr("is ahead")));
  EXPECT_EQ(NestingFault(page), "");
}

TEST(RenderComparisonTest, AStoppedRunShowsWhatWasMeasuredLast) {
  std::vector<RunSummary> runs = Sample();
  runs[1].trained = {};
  EpochRecord record;
  record.epoch = 3;  // not measured
  runs[1].epochs.push_back(record);
  const std::string page = RenderComparison(runs);
  EXPECT_THAT(page, HasSubstr("<td>82.75<span class=\"bar\"><i style=\"width:"
                              "82.8%\"></i></span><small>after epoch 2</small>"
                              "</td><td>–</td>"));
  EXPECT_EQ(Count(page, "after epoch"), 1);
}

TEST(RenderComparisonTest, StandsAloneAndNests) {
  RunSummary bare;
  bare.name = "just begun";
  const std::vector<RunSummary> eight(8, Sample()[1]);
  for (const auto& runs :
       {Sample(), std::vector<RunSummary>{bare, bare}, eight}) {
    const std::string page = RenderComparison(runs);
    EXPECT_EQ(NestingFault(page), "");
    EXPECT_THAT(page, Not(HasSubstr("http")));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("url(")));
    EXPECT_THAT(page, Not(ContainsRegex("[^a-zA-Z](nan|NaN|inf)[^a-zA-Z]")));
  }
}

TEST(WriteComparisonTest, WritesThePage) {
  const std::string path = testing::TempDir() + "/compare.html";
  ASSERT_TRUE(WriteComparison(path, Sample()).ok());
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}),
            RenderComparison(Sample()));
}

}  // namespace
}  // namespace gsg
