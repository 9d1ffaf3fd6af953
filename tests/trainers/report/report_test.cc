#include "trainers/report/report.h"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/report/markup.h"
#include "trainers/run/epoch_record.h"

namespace gsg {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

Picture Gray(uint8_t value) { return {2, 2, 1, {value, 0, 0, value}}; }

ReportData Sample() {
  ReportData data;
  data.title = "GSG on <Fashion>";
  data.trained = {"GSG", 85.32, 89.7};
  data.baselines = {{"raw pixels", 81.1, 84.2}, {"untrained", 86, NAN}};
  data.classes = {"Shirt", "T-shirt & top"};
  EpochRecord first;
  first.epoch = 1;
  first.loss = -0.25;
  first.pair_share = {0.4, 0.3, 0.2, 0.1};
  EpochRecord second = first;
  second.epoch = 2;
  second.loss = -0.5;
  second.knn_top1 = 85.32;
  data.epochs = {first, second};
  data.neighbors = {{{Gray(1), 0}, {{Gray(2), 0}, {Gray(3), 1}}}};
  data.map = {{0, 0, 0}, {1, 1, 1}};
  data.summary = {{"Device", "2 cores"}};
  data.config = {{"data", "\"a\" & b"}};
  return data;
}

TEST(RenderReportTest, TellsTheResultInASentence) {
  EXPECT_THAT(
      *RenderReport(Sample()),
      HasSubstr("After 2 epochs without labels, GSG classifies "
                "<b>85.3&nbsp;%</b> of the test images by their nearest "
                "neighbors: 4.2 points above raw pixels, 0.7 points below "
                "untrained; <b>89.7&nbsp;%</b> with a linear classifier."));
}

TEST(RenderReportTest, HoldsEverythingEscaped) {
  const std::string page = *RenderReport(Sample());
  EXPECT_THAT(page, HasSubstr("<title>GSG on &lt;Fashion&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("<dt>Device</dt><dd>2 cores</dd>"));
  EXPECT_THAT(page, HasSubstr("<dd>&quot;a&quot; &amp; b</dd>"));
  EXPECT_THAT(page, HasSubstr("<td>81.10<span class=\"bar\"><i "
                              "style=\"width:81.1%\">"));
  // The untrained network's linear score was not measured.
  EXPECT_THAT(page, HasSubstr("<td>–</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<li class=\"s3\">12, 22</li>"));
  EXPECT_THAT(page, HasSubstr("2 test images, laid out by t-SNE"));
  EXPECT_EQ(Count(page, "<polyline"), 2 + 4);  // k-NN, loss, four pairs
  EXPECT_EQ(Count(page, "src=\"data:image/png;base64,"), 3);
}

TEST(RenderReportTest, MarksNeighborsOfAnotherClass) {
  const std::string page = *RenderReport(Sample());
  EXPECT_EQ(Count(page, "class=\"picture right\""), 1);
  EXPECT_EQ(Count(page, "class=\"picture wrong\""), 1);
  EXPECT_THAT(page, HasSubstr("alt=\"Neighbor of another class: "
                              "T-shirt &amp; top\""));
}

TEST(RenderReportTest, BeginsInPlainWords) {
  ReportData data = Sample();
  data.words = {"It <worked>, 5 %: (--epochs=3).", "Next:"};
  data.commands = "./bazelw run & go";
  data.after_commands = "Or else.";
  EXPECT_THAT(*RenderReport(data),
              HasSubstr("<p class=\"words\">It &lt;worked&gt;, 5&nbsp;%: "
                        "<span class=\"flag\">(--epochs=3).</span></p>\n"
                        "<p class=\"words\">Next:</p>\n"
                        "<pre class=\"commands\" tabindex=\"0\" "
                        "aria-label=\"Commands\">./bazelw run &amp; go</pre>\n"
                        "<p class=\"words\">Or else.</p>\n"));
}

TEST(RenderReportTest, WithoutLabelsThereAreClustersAndFiles) {
  ReportData data = Sample();
  data.clustered = true;
  data.classes = {"cluster 1", "cluster 2"};
  data.neighbors[0].query.name = "2024/a & b.jpg";
  const std::string page = *RenderReport(data);
  EXPECT_THAT(page, HasSubstr("title=\"2024/a &amp; b.jpg\"><img"));
  EXPECT_THAT(page, HasSubstr("alt=\"Image: cluster 1, 2024/a &amp; b.jpg\">"
                              "<figcaption>a &amp; b.jpg</figcaption>"));
  EXPECT_THAT(page, HasSubstr("Color is the cluster"));
  for (const char* not_there : {"Test image", "test images at", "another class",
                                "picture wrong", "which the layout never"}) {
    EXPECT_THAT(page, Not(HasSubstr(not_there))) << not_there;
  }
  EXPECT_EQ(NestingFault(page), "");
}

TEST(RenderReportTest, FilesOfLabeledImagesAreNamed) {
  ReportData data = Sample();
  data.neighbors[0].query.name = "val/shirt/7.png";
  EXPECT_THAT(*RenderReport(data),
              HasSubstr("<figcaption>Shirt<small>7.png</small></figcaption>"));
}

TEST(RenderReportTest, SaysWhyTableAndChartDiffer) {
  EXPECT_THAT(*RenderReport(Sample()), Not(HasSubstr("and so differs")));
  ReportData data = Sample();
  data.watched = "2,000 of the test images";
  const std::string page = *RenderReport(data);
  EXPECT_THAT(page, HasSubstr("measured on 2,000 of the test images, and "
                              "so differs."));
  EXPECT_THAT(
      page, HasSubstr("nearest training images, on 2,000 of the test images"));
}

TEST(RenderReportTest, StandsAloneAndNests) {
  ReportData bare;
  bare.title = "nothing yet";
  ReportData unmeasured = Sample();
  unmeasured.trained = {"GSG", NAN, NAN};
  unmeasured.epochs.push_back({});
  for (const ReportData& data : {Sample(), bare, unmeasured}) {
    const std::string page = *RenderReport(data);
    EXPECT_EQ(NestingFault(page), "");
    EXPECT_THAT(page, Not(HasSubstr("http")));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("url(")));
    EXPECT_THAT(page, Not(ContainsRegex("[^a-zA-Z](nan|NaN|inf)[^a-zA-Z]")));
  }
}

TEST(RenderReportTest, EmptySectionsAreLeftOut) {
  ReportData bare;
  bare.title = "nothing yet";
  const std::string page = *RenderReport(bare);
  EXPECT_THAT(page, HasSubstr("<h1>nothing yet</h1>"));
  EXPECT_THAT(page, Not(HasSubstr("<section>")));
  EXPECT_THAT(page, Not(HasSubstr("<p")));
}

TEST(NestingFaultTest, FindsFaults) {  // the judge itself
  EXPECT_EQ(NestingFault("<p><b>x</b></p><img src=\"\">"), "");
  EXPECT_EQ(NestingFault("<p><b>x</p></b>"), "</p> closes b");
  EXPECT_EQ(NestingFault("<p>"), "<p> stays open");
  EXPECT_EQ(NestingFault("1 < 2>"), "bare '<' before 5");
}

TEST(RenderReportTest, NamesWhatIsWrong) {
  auto message = [](const ReportData& data) {
    const absl::Status status = RenderReport(data).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  ReportData data = Sample();
  data.map[1].label = 2;
  EXPECT_EQ(message(data),
            "a map point has label 2; the report names 2 classes");
  data = Sample();
  data.map[0].x = NAN;
  EXPECT_EQ(message(data), "a map point is at (nan, 0); not finite");
  data = Sample();
  data.neighbors[0].query.label = -1;
  EXPECT_EQ(message(data),
            "Test image has label -1; the report names 2 classes");
  data = Sample();
  data.neighbors[0].neighbors[1].picture.pixels.pop_back();
  EXPECT_EQ(message(data), "picture has 3 bytes; 2 x 2 x 1 needs 4");
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(WriteReportTest, ReplacesThePageAndLeavesNothingBeside) {
  const std::string path = testing::TempDir() + "/report.html";
  std::ofstream(path) << "old";
  ASSERT_TRUE(WriteReport(path, Sample()).ok());
  EXPECT_EQ(Read(path), *RenderReport(Sample()));
  EXPECT_FALSE(std::ifstream(path + ".partial").good());
}

TEST(WriteReportTest, FailureKeepsTheOldPage) {
  const std::string path = testing::TempDir() + "/kept.html";
  std::ofstream(path) << "old";
  ReportData bad = Sample();
  bad.map[0].label = 9;
  EXPECT_FALSE(WriteReport(path, bad).ok());
  EXPECT_EQ(Read(path), "old");
}

TEST(WriteReportTest, NamesThePathThatCannotBeOpened) {
  const std::string path = testing::TempDir() + "/no/such/folder/report.html";
  const absl::Status status = WriteReport(path, Sample());
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("cannot open " + path + ".partial"));
}

// Renaming onto a folder fails after the page is written.
TEST(WriteReportTest, RemovesThePartialPageOnFailure) {
  const std::string path = testing::TempDir();
  const std::string folder =
      path.back() == '/' ? path.substr(0, path.size() - 1) : path;
  EXPECT_FALSE(WriteReport(folder, Sample()).ok());
  EXPECT_FALSE(std::ifstream(folder + ".partial").good());
}

}  // namespace
}  // namespace gsg
