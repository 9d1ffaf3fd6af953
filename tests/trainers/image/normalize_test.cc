#include "trainers/image/normalize.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/files.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/file_source.h"

namespace gsg {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two images, black and of one color, and a damaged one.
Dataset Folder() {
  const std::string dir = TestFolder();
  Bytes color;
  for (int i = 0; i < 16; ++i) color.insert(color.end(), {255, 102, 0});
  const std::vector<Bytes> black(16, Bytes(3 * 16, 0));
  Write(dir + "/0.png", EncodePng(black, 16, PngKind()));
  Write(dir + "/1.png",
        EncodePng(std::vector<Bytes>(16, color), 16, PngKind()));
  Write(dir + "/2.png", Bytes());
  Dataset dataset;
  dataset.name = "folder";
  dataset.train = std::make_unique<FileSource>(
      dir, std::vector<std::string>{"0.png", "1.png", "2.png"},
      std::vector<int32_t>(), 3);
  dataset.stats = {{0.1, 0.2, 0.3}, {1, 2, 3}};
  return dataset;
}

ChannelStats StatsAfter(absl::string_view how) {
  Dataset dataset = Folder();
  const absl::Status status = Normalize(how, &dataset);
  EXPECT_TRUE(status.ok()) << status;
  return dataset.stats;
}

std::string ErrorOf(absl::string_view how) {
  Dataset dataset = Folder();
  const absl::Status status = Normalize(how, &dataset);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(dataset.stats.mean, ElementsAre(0.1, 0.2, 0.3));
  return std::string(status.message());
}

TEST(NormalizeTest, AutoKeepsWhatThereIs) {
  EXPECT_THAT(StatsAfter("auto").mean, ElementsAre(0.1, 0.2, 0.3));
}

TEST(NormalizeTest, ImageNets) {
  EXPECT_THAT(StatsAfter("imagenet").std, ElementsAre(0.229, 0.224, 0.225));
}

// The damaged image does not count; blue is the same everywhere.
TEST(NormalizeTest, MeasuresTheImagesOfAFolder) {
  const ChannelStats stats = StatsAfter("measured");
  EXPECT_THAT(stats.mean, ElementsAre(0.5, DoubleNear(0.2, 1e-12), 0));
  EXPECT_THAT(stats.std, ElementsAre(0.5, DoubleNear(0.2, 1e-12), 1));
}

// As LoadDataset leaves them.
TEST(NormalizeTest, BandsAreMeasured) {
  Dataset dataset = Folder();
  dataset.stats = {};
  ASSERT_TRUE(Normalize("auto", &dataset).ok());
  EXPECT_THAT(dataset.stats.std, ElementsAre(0.5, DoubleNear(0.2, 1e-12), 1));
}

TEST(NormalizeTest, NumbersForAllChannelsOrEach) {
  EXPECT_THAT(StatsAfter("0.5:0.25").mean, ElementsAre(0.5, 0.5, 0.5));
  const ChannelStats each = StatsAfter("0,0.5,1:0.1,0.2,0.3");
  EXPECT_THAT(each.mean, ElementsAre(0, 0.5, 1));
  EXPECT_THAT(each.std, ElementsAre(0.1, 0.2, 0.3));
}

TEST(NormalizeTest, AnythingElseIsRefused) {
  for (const char* how : {"", "mean", "0.5", "0.5:0", "0.5:-1", "2:0.5",
                          "0.5:nan", "0.5:0.2:0.1", "0.5,:0.2"}) {
    EXPECT_THAT(ErrorOf(how), HasSubstr("use auto, imagenet")) << how;
    EXPECT_FALSE(CheckNormalize(how).ok()) << how;
  }
  EXPECT_THAT(ErrorOf("0.5,0.5:0.2"),
              HasSubstr("2 numbers, and images have 3 channels"));
}

}  // namespace
}  // namespace gsg
