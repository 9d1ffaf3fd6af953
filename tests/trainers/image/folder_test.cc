#include "trainers/image/folder.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Finding images is by name, so the files may be empty.
void Touch(const std::string& folder, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const std::filesystem::path file = absl::StrCat(folder, "/", path);
    std::filesystem::create_directories(file.parent_path());
    Write(file.string(), {});
  }
}

std::vector<std::string> Names(const FolderSource& source) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return names;
}

Folder Read(const std::string& dir) {
  absl::StatusOr<Folder> folder = ReadFolder(dir, 3);
  EXPECT_TRUE(folder.ok()) << folder.status();
  return folder.ok() ? *std::move(folder) : Folder();
}

std::string Message(const std::string& dir, absl::StatusCode code) {
  const absl::Status status = ReadFolder(dir, 3).status();
  EXPECT_EQ(status.code(), code) << status;
  return std::string(status.message());
}

TEST(FolderTest, ClassFolders) {
  const std::string dir = TestFolder();
  Touch(dir,
        {"train/dog/b.png", "train/dog/a.JPG", "train/cat/x/1.jpeg",
         "train/cat/2.webp", "train/ant/1.jpg", "train/readme.txt",
         "val/dog/c.jpg", "val/cat/9.PNG", "val/cat/10.png", "test/1.jpg"});
  const Folder folder = Read(dir);
  EXPECT_THAT(folder.classes, ElementsAre("ant", "cat", "dog"));
  EXPECT_THAT(
      Names(*folder.train),
      ElementsAre("train/ant/1.jpg", "train/cat/2.webp", "train/cat/x/1.jpeg",
                  "train/dog/a.JPG", "train/dog/b.png"));
  EXPECT_THAT(folder.train->labels(), ElementsAre(0, 1, 1, 2, 2));
  EXPECT_THAT(Names(*folder.test),
              ElementsAre("val/cat/10.png", "val/cat/9.PNG", "val/dog/c.jpg"));
  EXPECT_THAT(folder.test->labels(), ElementsAre(1, 1, 2));
  EXPECT_EQ(folder.train->path(0), dir + "/train/ant/1.jpg");
}

TEST(FolderTest, TestStandsInForVal) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "test/a/2.jpg"});
  EXPECT_THAT(Names(*Read(dir).test), ElementsAre("test/a/2.jpg"));
}

TEST(FolderTest, WithoutLabels) {
  const std::string dir = TestFolder();
  Touch(dir, {"b/2.jpg", "b/c/3.png", "1.jpg", "notes.txt", ".hidden/9.jpg",
              "b/._2.jpg"});
  const Folder folder = Read(dir + "/");
  EXPECT_THAT(Names(*folder.train),
              ElementsAre("1.jpg", "b/2.jpg", "b/c/3.png"));
  EXPECT_THAT(folder.train->labels(), ElementsAre());
  EXPECT_EQ(folder.test, nullptr);
  EXPECT_THAT(folder.classes, ElementsAre());
}

TEST(FolderTest, TrainAloneIsWithoutLabels) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "extra/2.jpg"});
  const Folder folder = Read(dir);
  EXPECT_THAT(Names(*folder.train), ElementsAre("train/a/1.jpg"));
  EXPECT_EQ(folder.test, nullptr);
}

TEST(FolderTest, FollowsLinks) {
  const std::string dir = TestFolder();
  Touch(dir, {"real/1.jpg", "data/2.jpg"});
  std::filesystem::create_symlink(dir + "/real", dir + "/data/link");
  std::filesystem::create_symlink(dir + "/gone", dir + "/data/broken");
  EXPECT_THAT(Names(*Read(dir + "/data").train),
              ElementsAre("2.jpg", "link/1.jpg"));
}

TEST(FolderTest, Missing) {
  EXPECT_THAT(Message(TestFolder() + "/none", absl::StatusCode::kNotFound),
              HasSubstr("/none does not exist; --dataset=folder expects class "
                        "folders, as in train/<class>/1.jpg"));
  EXPECT_THAT(Message("", absl::StatusCode::kInvalidArgument),
              HasSubstr("pass --data_dir=<folder>"));
}

TEST(FolderTest, Empty) {
  const std::string dir = TestFolder();
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("folder " + dir + " is empty"));
  std::filesystem::create_directory(dir + "/train");
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("folder " + dir + "/train is empty"));
}

TEST(FolderTest, OnlyOtherFiles) {
  const std::string dir = TestFolder();
  Touch(dir, {"a.gif", "b/c.txt", "b/d.txt"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("has no file whose name ends in .jpg, .jpeg, .png or "
                        ".webp, the formats that are read, but 3 others"));
}

TEST(FolderTest, ClassWithoutAnImage) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/b/1.txt", "val/a/1.jpg"});
  EXPECT_EQ(Message(dir, absl::StatusCode::kInvalidArgument),
            absl::StrCat("class folder ", dir,
                         "/train/b has no file whose name ends in .jpg, .jpeg, "
                         ".png or .webp; add images or remove it"));
}

TEST(FolderTest, ClassThatOnlyValHas) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "val/a/1.jpg", "val/b/1.jpg"});
  EXPECT_EQ(Message(dir, absl::StatusCode::kInvalidArgument),
            absl::StrCat(dir,
                         "/val/b/1.jpg is of class \"b\", for which there "
                         "is no folder in ",
                         dir, "/train; rename the one or add the other"));
}

TEST(FolderTest, NoClassFolders) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/1.jpg", "val/1.jpg"});
  const std::string message = Message(dir, absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(message,
              HasSubstr("folder " + dir + "/train has no class folders"));
  EXPECT_THAT(message, HasSubstr("pass --data_dir=" + dir + "/train"));
}

TEST(FolderTest, ImageBesideClassFolders) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/2.jpg", "val/a/1.jpg"});
  EXPECT_EQ(Message(dir, absl::StatusCode::kInvalidArgument),
            dir +
                "/train/2.jpg lies beside the class folders; move it into "
                "one");
}

TEST(FolderTest, Channels) {
  const std::string dir = TestFolder();
  Touch(dir, {"1.jpg"});
  EXPECT_EQ(ReadFolder(dir, 1)->train->channels(), 1);
  EXPECT_EQ(ReadFolder(dir, 2).status(),
            absl::InvalidArgumentError(
                "--channels=2: must be 1 (grey) or 3 (colour)"));
}

}  // namespace
}  // namespace gsg
