#include "trainers/study/table.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/report/markup.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/read_run.h"
#include "trainers/study/page.h"
#include "trainers/study/study.h"

namespace gsg {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

RunSummary Run(double knn, double loss, double spread) {
  RunSummary run;
  run.trained.knn_top1 = knn;
  EpochRecord record;
  record.epoch = 1;
  record.loss = 0;
  record.feature_std = 1;
  record.seconds = 30;
  run.epochs.push_back(record);
  record.epoch = 2;
  record.loss = loss;
  record.feature_std = spread;
  run.epochs.push_back(record);
  return run;
}

// Arm b has seed 2 still to run, and lost its spread with seed 1.
struct Sample {
  Study study = *ParseStudy(R"({
      "title": "a|b & <c>", "question": "Which?",
      "arms": [{"name": "a"}, {"name": "b, \"c\"", "distance": "cosine"},
               {"name": "not begun", "epochs": 1}],
      "metrics": ["knn_top1", "loss", "feature_std", "minutes"]})");
  StudyResults results = {
      {Run(80, -0.5, 1), Run(82, -0.7, 1), Run(84, -0.9, 1)},
      {Run(81, -0.5, 0.5), Run(84, -0.6, 0.01), std::nullopt},
      {std::nullopt, std::nullopt, std::nullopt}};
  StudyTable table = Tabulate(study, results);
};

// k-NN of a: 80, 82, 84. b minus a with two pairs: 1 and 2, mean 1.5, standard
// deviation sqrt(1/2); t of one degree 12.7062, so 1.5 -+ 6.3531.
TEST(TabulateTest, IsWorkedOutByHand) {
  const Sample sample;
  const StudyRow& a = sample.table[0];
  EXPECT_EQ(a.finished, 3);
  EXPECT_EQ(a.collapsed, 0);
  EXPECT_EQ(a.summaries[0].mean, 82);
  EXPECT_EQ(a.summaries[0].std, 2);
  EXPECT_EQ(a.summaries[3].mean, 1);  // two epochs of half a minute
  const StudyRow& b = sample.table[1];
  EXPECT_EQ(b.finished, 2);
  EXPECT_EQ(b.collapsed, 1);
  EXPECT_EQ(b.differences[0].n, 2);
  EXPECT_EQ(b.differences[0].mean, 1.5);
  EXPECT_NEAR(b.differences[0].low, 1.5 - 6.3531, 1e-4);
  EXPECT_NEAR(b.summaries[1].mean, -0.55, 1e-12);  // the last epoch's loss
  EXPECT_EQ(sample.table[2].finished, 0);
  EXPECT_EQ(sample.table[2].differences[0].n, 0);
}

TEST(CellTest, ReadsWell) {
  EXPECT_EQ(SummaryCell({3, -0.81234, 0.01}, 4), "−0.8123 ± 0.0100");
  EXPECT_EQ(SummaryCell({1, 81.155, kUnknown}, 2), "81.16");
  EXPECT_EQ(SummaryCell({}, 2), "–");
  EXPECT_EQ(DifferenceCell({3, 0.4, -0.1, 0.9}, 1), "+0.4 [−0.1, +0.9]");
  EXPECT_EQ(DifferenceCell({1, -0.4, kUnknown, kUnknown}, 1), "−0.4");
  EXPECT_EQ(DifferenceCell({2, -0.001, -0.001, 0.001}, 1), "+0.0 [+0.0, +0.0]");
  EXPECT_EQ(DifferenceCell({}, 1), "–");
}

TEST(TableTextTest, IsAligned) {
  const Sample sample;
  const std::string text = TableText(sample.study, sample.table);
  EXPECT_THAT(
      text,
      HasSubstr("                            n         k-NN %               "
                "loss             std     minutes\n"
                "a                           3   82.00 ± 2.00   −0.7000 ± "
                "0.2000   1.000 ± 0.000   1.0 ± 0.0\n"));
  EXPECT_THAT(text, HasSubstr("b, \"c\" (1 of 2 collapsed)   2   82.50"));
  EXPECT_THAT(text, HasSubstr("\n\nminus a "));
  EXPECT_THAT(text, HasSubstr("+1.50 [−4.85, +7.85]"));
}

TEST(TableMarkdownTest, HasTwoTables) {
  const Sample sample;
  const std::string text = TableMarkdown(sample.study, sample.table);
  EXPECT_THAT(text, HasSubstr("|  | n | k-NN % | loss | std | minutes |\n"
                              "|---|---:|---:|---:|---:|---:|\n"
                              "| a | 3 | 82.00 ± 2.00 | −0.7000 ± 0.2000 |"));
  EXPECT_THAT(text, HasSubstr("| minus a | n |"));
  EXPECT_THAT(text, HasSubstr("| not begun | 0 | – | – | – | – |"));
  EXPECT_THAT(text, HasSubstr(kDifferenceNote));
}

TEST(TableCsvTest, HasALineForEachArmAndMetric) {
  const Sample sample;
  const std::string text = TableCsv(sample.study, sample.table);
  EXPECT_EQ(Count(text, "\n"), 1 + 3 * 4);
  EXPECT_THAT(text, HasSubstr("\na,knn_top1,3,82,2,0,3,0,0\n"));
  EXPECT_THAT(text, HasSubstr("\n\"b, \"\"c\"\"\",knn_top1,2,82.5,2.12"));
  EXPECT_THAT(text, HasSubstr("\nnot begun,loss,0,,,,0,,\n"));
}

TEST(TableJsonTest, HasEveryValue) {
  const Sample sample;
  const std::string text = TableJson(sample.study, sample.table);
  EXPECT_THAT(text, HasSubstr("\"baseline\": \"a\""));
  EXPECT_THAT(text, ContainsRegex("81.0,[[:space:]]*84.0,[[:space:]]*null"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(RenderStudyPageTest, ShowsTablesCurvesSettingsAndCommand) {
  const Sample sample;
  StudyPageData data;
  data.study = &sample.study;
  data.results = &sample.results;
  data.table = &sample.table;
  data.facts = {{"runs", "5 of <9>"}};
  data.command = "study --study='x & y'";
  data.runs = {{"a seed 0", "../runs/a/report.html"}, {"b seed 2", ""}};
  const std::string page = RenderStudyPage(data);
  EXPECT_EQ(NestingFault(page), "");
  EXPECT_THAT(page, HasSubstr("<h1>a|b &amp; &lt;c&gt;</h1>"));
  EXPECT_THAT(page, HasSubstr("<td>82.00 ± 2.00</td>"));
  EXPECT_THAT(page, HasSubstr("minus a"));
  // k-NN was measured in no epoch; loss and spread were, in two arms each.
  EXPECT_EQ(Count(page, "<polyline"), 4);
  EXPECT_EQ(Count(page, "class=\"band s0\""), 2);
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">distance</th>"
                              "<td>euclidean</td><td>cosine</td>"));
  EXPECT_THAT(page,
              HasSubstr("<a href=\"../runs/a/report.html\">a seed 0</a>"));
  EXPECT_THAT(page, HasSubstr("study --study=&#39;x &amp; y&#39;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(ContainsRegex("[^a-zA-Z](nan|inf)[^a-zA-Z]")));
}

// Ten arms do not fit one chart: the baseline stands in both, in its color.
TEST(RenderStudyPageTest, ManyArmsHaveSeveralCharts) {
  Sample sample;
  const Arm arm = sample.study.arms[0];
  sample.study.arms.assign(10, arm);
  for (int i = 0; i < 10; ++i) sample.study.arms[i].name += std::to_string(i);
  sample.results.assign(10, sample.results[0]);
  sample.table = Tabulate(sample.study, sample.results);
  StudyPageData data;
  data.study = &sample.study;
  data.results = &sample.results;
  data.table = &sample.table;
  const std::string page = RenderStudyPage(data);
  EXPECT_EQ(Count(page, "<figure class=\"chart\">"), 4);
  EXPECT_EQ(Count(page, "<g class=\"s7\"><polyline"), 2);
  EXPECT_EQ(Count(page, "<g class=\"s0\"><polyline"), 4);
  EXPECT_EQ(NestingFault(page), "");
}

}  // namespace
}  // namespace gsg
