#include "trainers/image/survey.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/files.h"
#include "trainers/image/file_source.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

// A JPEG of one color.
Bytes Plain(int height, int width, const Bytes& color) {
  Bytes rgb;
  for (int i = 0; i < height * width; ++i) {
    rgb.insert(rgb.end(), color.begin(), color.end());
  }
  return EncodeJpeg(rgb, height, width);
}

absl::StatusOr<Survey> SurveyOf(const std::vector<Bytes>& files) {
  const std::string dir = TestFolder();
  std::vector<std::string> names;
  for (const Bytes& file : files) {
    names.push_back(absl::StrCat(names.size(), ".jpg"));
    Write(absl::StrCat(dir, "/", names.back()), file);
  }
  return SurveyImages(FileSource(dir, names, {}, 3));
}

TEST(SurveyTest, CountsAndTakesTheMedianOfTheShorterSides) {
  const Bytes gray = {90, 90, 90};
  const absl::StatusOr<Survey> survey =
      SurveyOf({Plain(40, 100, gray), Plain(90, 64, gray), Plain(20, 10, gray),
                Plain(300, 500, gray), Plain(48, 48, gray)});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_EQ(survey->images, 5);
  EXPECT_EQ(survey->sampled, 5);
  EXPECT_EQ(survey->side, 48);
  EXPECT_TRUE(survey->gray);
}

TEST(SurveyTest, OneImageWithColorIsEnough) {
  const absl::StatusOr<Survey> survey =
      SurveyOf({Plain(16, 16, {90, 90, 90}), Plain(16, 16, {200, 90, 90})});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_FALSE(survey->gray);
}

// Gray in 16 bits up to what a codec may do, and color.
TEST(SurveyTest, SixteenBits) {
  PngKind kind;
  kind.bits = 16;
  const Bytes gray = EncodePng({{9, 200, 9, 0, 9, 250}}, 1, kind);
  absl::StatusOr<Survey> survey = SurveyOf({Plain(4, 4, {9, 9, 9}), gray});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_TRUE(survey->wide);
  EXPECT_TRUE(survey->gray);
  survey = SurveyOf({EncodePng({{9, 200, 99, 0, 9, 250}}, 1, kind)});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_FALSE(survey->gray);
  survey = SurveyOf({Plain(4, 4, {9, 9, 9})});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_FALSE(survey->wide);
}

TEST(SurveyTest, AFewPixelsWithColorAreEnough) {
  Bytes rgb(3 * 64 * 64, 90);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) rgb[3 * (64 * y + x)] = 250;
  }
  const absl::StatusOr<Survey> survey = SurveyOf({EncodeJpeg(rgb, 64, 64)});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_FALSE(survey->gray);
}

TEST(SurveyTest, DamagedImagesAreLeftOut) {
  const absl::StatusOr<Survey> survey =
      SurveyOf({Bytes(), Plain(16, 16, {90, 90, 90})});
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_EQ(survey->images, 2);
  EXPECT_EQ(survey->sampled, 1);
  EXPECT_EQ(survey->side, 16);
}

TEST(SurveyTest, NothingButDamageIsAnError) {
  const absl::StatusOr<Survey> survey = SurveyOf({Bytes(), Bytes()});
  EXPECT_TRUE(absl::IsDataLoss(survey.status())) << survey.status();
  EXPECT_THAT(std::string(survey.status().message()),
              HasSubstr("the file is empty"));
  EXPECT_THAT(std::string(survey.status().message()),
              HasSubstr("first of them 0.jpg: "));
}

TEST(SurveyTest, SamplesLargeFolders) {
  const std::string dir = TestFolder();
  Write(dir + "/one.jpg", Plain(16, 24, {90, 90, 90}));
  const std::vector<std::string> names(1000, "one.jpg");
  const absl::StatusOr<Survey> survey =
      SurveyImages(FileSource(dir, names, {}, 3));
  ASSERT_TRUE(survey.ok()) << survey.status();
  EXPECT_EQ(survey->images, 1000);
  EXPECT_EQ(survey->sampled, 200);
}

}  // namespace
}  // namespace gsg
