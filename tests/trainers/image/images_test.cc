#include "trainers/image/images.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Touch(const std::string& path) {
  std::filesystem::create_directories(
      std::filesystem::path(path).parent_path());
  Write(path, {});
}

std::vector<std::string> Names(const ImageSource& source) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return names;
}

TEST(FindImagesTest, SeveralFolders) {
  const std::string dir = TestFolder();
  for (const char* path :
       {"b/train/cat/1.jpg", "b/train/ant/2.jpg", "b/val/cat/3.jpg",
        "a/Train/dog/4.jpg", "a/Train/cat/5.jpg", "a/Test/dog/6.jpg",
        "a/Train/cat/5.xcf"}) {
    Touch(dir + "/" + path);
  }
  const auto images = FindImages(dir + "/b," + dir + "/a", "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(
      Names(*images->train),
      ElementsAre(dir + "/b/train/ant/2.jpg", dir + "/b/train/cat/1.jpg",
                  dir + "/a/Train/cat/5.jpg", dir + "/a/Train/dog/4.jpg"));
  EXPECT_THAT(images->classes, ElementsAre("ant", "cat", "dog"));
  EXPECT_THAT(images->train->labels(), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(images->test->labels(), ElementsAre(1, 2));
  EXPECT_THAT(images->notes,
              ElementsAre(dir + "/a: 1 file of other formats was passed over: "
                                ".xcf 1"));
  // One of them without labels.
  Touch(dir + "/c/7.jpg");
  const auto mixed = FindImages(dir + "/a," + dir + "/c", "", 3);
  ASSERT_TRUE(mixed.ok()) << mixed.status();
  EXPECT_EQ(mixed->test, nullptr);
  EXPECT_EQ(mixed->train->size(), 3);
  EXPECT_THAT(mixed->notes.back(),
              HasSubstr("the labels of " + dir + "/a are"));
}

TEST(FindImagesTest, ACommaInAFoldersName) {
  const std::string dir = TestFolder() + "/a,b";
  Touch(dir + "/1.jpg");
  const auto images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(Names(*images->train), ElementsAre("1.jpg"));
}

TEST(FindImagesTest, Errors) {
  const std::string dir = TestFolder();
  Touch(dir + "/a/b/1.jpg");
  Touch(dir + "/c/1.tar");
  const auto error = [](const std::string& data_dir,
                        const std::string& data_list = "") {
    return std::string(FindImages(data_dir, data_list, 3).status().message());
  };
  EXPECT_THAT(error(dir + "/a," + dir + "/a/b"),
              HasSubstr("/a/b lies in " + dir + "/a, which is given, too"));
  EXPECT_THAT(error(dir + "/a," + dir + "/a/"), HasSubstr("/a is "));
  EXPECT_THAT(error(dir + "/a," + dir + "/none"),
              HasSubstr("/none does not exist"));
  EXPECT_THAT(error(dir + "/a," + dir + "/c"), HasSubstr("give either kind"));
  EXPECT_THAT(error(dir, "list"), HasSubstr("give one of them"));
}

}  // namespace
}  // namespace gsg
