#include "trainers/explore/page.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/explore/answers.h"
#include "trainers/explore/sheets.h"
#include "trainers/explore/tables.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Four images: 0 and 3 are copies, 2 lies in the wrong folder.
Answers Example() {
  Answers answers;
  answers.names = {"a/1.jpg", "b/</script>.jpg", "b/3, \"x\".jpg", "a/4.jpg"};
  answers.neighbors.n = 4;
  answers.neighbors.k = 1;
  answers.neighbors.indices = {3, 2, 1, 0};
  answers.neighbors.cosines = {0.99f, 0.5f, 0.5f, 0.99f};
  answers.threshold = 0.95;
  DuplicateGroup group;
  group.members = {{0, 1}, {3, 0.99f}};
  answers.duplicates = {group};
  answers.copies = {{Copy::kFirst, Copy::kExact}};
  answers.outliers.distance = {0.1f, 1, 0.9f, 0.1f};
  answers.outliers.factor = {1, 2, 1.5f, 1};
  answers.outliers.order = {1, 2, 0, 3};
  answers.clusters.k = 2;
  answers.clusters.cluster = {0, 1, 0, 0};
  answers.clusters.distance = {0.2f, 0, 0.3f, 0.1f};
  answers.clusters.silhouette = 0.5;
  answers.folders.names = {"a", "b"};
  answers.folders.labels = {0, 1, 1, 0};
  answers.labels.wrong = {{2, 1, 0, 0.25, 0.75}};
  answers.map = {{0, 0}, {10, 5}, {1, 0}, {0, 1}};
  return answers;
}

TEST(TablesTest, SayWhatIsInTheAnswers) {
  const Answers answers = Example();
  EXPECT_EQ(DuplicatesCsv(answers),
            "file,group,cosine,copy\n"
            "a/1.jpg,1,1.000000,first\n"
            "a/4.jpg,1,0.990000,exact\n");
  EXPECT_EQ(OutliersCsv(answers),
            "rank,file,distance,factor\n"
            "1,b/</script>.jpg,1.000000,2.0000\n"
            "2,\"b/3, \"\"x\"\".jpg\",0.900000,1.5000\n"
            "3,a/1.jpg,0.100000,1.0000\n"
            "4,a/4.jpg,0.100000,1.0000\n");
  EXPECT_EQ(ClustersCsv(answers),
            "file,cluster,distance,place\n"
            "a/1.jpg,1,0.200000,2\n"
            "b/</script>.jpg,2,0.000000,1\n"
            "\"b/3, \"\"x\"\".jpg\",1,0.300000,3\n"
            "a/4.jpg,1,0.100000,1\n");
  EXPECT_EQ(NeighborsCsv(answers),
            "file,rank,neighbor,cosine\n"
            "a/1.jpg,1,a/4.jpg,0.990000\n"
            "b/</script>.jpg,1,\"b/3, \"\"x\"\".jpg\",0.500000\n"
            "\"b/3, \"\"x\"\".jpg\",1,b/</script>.jpg,0.500000\n"
            "a/4.jpg,1,a/1.jpg,0.990000\n");
  EXPECT_EQ(LabelsCsv(answers),
            "file,folder,suggested,own,other,verdict\n"
            "\"b/3, \"\"x\"\".jpg\",b,a,0.2500,0.7500,wrong\n");
}

nlohmann::json DataOf(const std::string& page) {
  const std::vector<std::string> parts =
      absl::StrSplit(page, "<script type=\"application/json\" id=\"data\">");
  EXPECT_EQ(parts.size(), 2);
  return nlohmann::json::parse(parts[1].substr(0, parts[1].find('<')));
}

TEST(PageTest, HasTheAnswersAndNoMarkupOfNames) {
  PageContext context;
  context.title = "<b>photos</b>";
  context.order = {3, 0, 2, 1};
  context.sheets = {"sheets/1.jpg"};
  const std::string page = ExplorePage(Example(), context);
  EXPECT_THAT(page, HasSubstr("<title>&lt;b&gt;photos&lt;/b&gt;</title>"));
  EXPECT_THAT(page, Not(HasSubstr("b/</script>.jpg")));
  // Nothing from elsewhere: the one address is a namespace's name.
  const std::vector<std::string> parts = absl::StrSplit(page, "http");
  ASSERT_EQ(parts.size(), 2);
  EXPECT_TRUE(absl::StartsWith(parts[1], "://www.w3.org/2000/svg\""));
  const nlohmann::json data = DataOf(page);
  EXPECT_EQ(data["names"], "a/1.jpg\nb/</script>.jpg\nb/3, \"x\".jpg\na/4.jpg");
  EXPECT_EQ(data["groups"], (nlohmann::json{{{0, 1., 0}, {3, 0.99, 1}}}));
  EXPECT_EQ(data["wrong"], (nlohmann::json{{2, 0, 0.25, 0.75}}));
  std::string slots;
  ASSERT_TRUE(absl::Base64Unescape(data["slots"].get<std::string>(), &slots));
  EXPECT_EQ(slots, std::string("\1\0\0\0\3\0\0\0\2\0\0\0\0\0\0\0", 16));
}

TEST(PageTest, NamesThatAreNotUtf8AreReplaced) {
  Answers answers = Example();
  answers.names[0] = "a/\xff.jpg";
  EXPECT_THAT(DataOf(ExplorePage(answers, {}))["names"].get<std::string>(),
              HasSubstr("a/\xEF\xBF\xBD.jpg"));
}

TEST(PageTest, SummaryInWords) {
  Answers answers = Example();
  EXPECT_THAT(Summary(answers, 1),
              ElementsAre("4 images in 2 clusters; 1 file could not be read.",
                          "1 image is a copy of another, pixel by pixel.",
                          "1 image looks more like another folder than like "
                          "its own."));
  answers.labels.wrong.resize(2);
  EXPECT_EQ(Summary(answers, 0).size(), 4);  // that the labels say little
  answers.duplicates.clear();
  answers.copies.clear();
  answers.folders = {};
  EXPECT_THAT(Summary(answers, 0), ElementsAre("4 images in 2 clusters.",
                                               "No picture is there twice."));
}

TEST(SheetsTest, ImagesOfAClusterLieTogether) {
  const std::vector<int32_t> order = SheetOrder(Example());
  EXPECT_EQ(order.size(), 4);
  EXPECT_EQ(order[3], 1);  // the other cluster's
}

TEST(SheetsTest, EncodesJpeg) {
  Sheet sheet(8);
  sheet.Set(17, std::vector<float>(64, 1.f));
  const absl::StatusOr<std::string> file = sheet.Encode();
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(absl::StartsWith(*file, "\xff\xd8"));
}

}  // namespace
}  // namespace gsg
