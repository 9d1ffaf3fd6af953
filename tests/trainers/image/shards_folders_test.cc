// Tar archives into which folders of images were packed: they are read as those
// folders are.

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "tests/trainers/image/tar_bytes.h"
#include "trainers/image/file_source.h"
#include "trainers/image/images.h"
#include "trainers/image/shards.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Files = std::vector<std::string>;  // names; "a/" is a folder

std::string ContentOf(const std::string& name) {
  return "content of " + name.substr(name.rfind('/') + 1);
}

void WriteFiles(const std::string& dir, const Files& files) {
  for (const std::string& name : files) {
    const std::filesystem::path path = dir + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    if (path.has_filename()) Write(path.string(), ToBytes(ContentOf(name)));
  }
}

void WriteTar(const std::string& path, const Files& files,
              const std::string& before = "") {
  std::filesystem::create_directories(
      std::filesystem::path(path).parent_path());
  std::string bytes;
  for (const std::string& name : files) {
    const bool folder = absl::EndsWith(name, "/");
    bytes += TarFile(before + name, folder ? "" : ContentOf(name),
                     folder ? '5' : '0');
  }
  Write(path, ToBytes(bytes + TarEnd()));
}

std::vector<std::string> Names(const ImageSource& source) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return names;
}

std::vector<std::string> Contents(const ImageSource& source) {
  std::vector<std::string> contents;
  for (int64_t i = 0; i < source.size(); ++i) {
    std::vector<uint8_t> bytes;
    EXPECT_TRUE(
        dynamic_cast<const FileSource&>(source).ReadFile(i, &bytes).ok());
    contents.emplace_back(bytes.begin(), bytes.end());
  }
  return contents;
}

std::vector<int32_t> Labels(const ImageSource& source) {
  return {source.labels().begin(), source.labels().end()};
}

// What training and scoring see is the same: images, labels and their order.
void ExpectSame(const Images& a, const Images& b) {
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(Contents(*a.train), Contents(*b.train));
  EXPECT_EQ(Labels(*a.train), Labels(*b.train));
  ASSERT_EQ(a.test == nullptr, b.test == nullptr);
  if (a.test == nullptr) return;
  EXPECT_EQ(Contents(*a.test), Contents(*b.test));
  EXPECT_EQ(Labels(*a.test), Labels(*b.test));
}

std::string Error(const std::string& path) {
  return std::string(FindImages(path, "", 3).status().message());
}

// In no order that a folder is read in; classes in upper and lower case.
const Files& TrainFiles() {
  static const auto* files =
      new Files{"cat/9.jpg",  "Zebra/2.jpg", "ant/deep/3.jpg",
                "cat/10.jpg", "ant/1.jpg",   "Zebra/7.jpg"};
  return *files;
}
const Files& ValFiles() {
  static const auto* files = new Files{"cat/v2.jpg", "ant/v1.jpg"};
  return *files;
}

Files Below(const std::string& folder, const Files& files) {
  Files below;
  for (const std::string& name : files) below.push_back(folder + name);
  return below;
}

Files Joined(Files a, const Files& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(ShardsFoldersTest, HoweverAFolderWithClassesIsPacked) {
  const std::string dir = TestFolder();
  const Files all =
      Joined(Below("val/", ValFiles()), Below("train/", TrainFiles()));
  WriteFiles(dir + "/files", all);
  const absl::StatusOr<Images> files = FindImages(dir + "/files", "", 3);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_THAT(files->classes, ElementsAre("Zebra", "ant", "cat"));
  ASSERT_THAT(files->train->labels(), ElementsAre(0, 0, 1, 1, 2, 2));

  const Files half(TrainFiles().begin(), TrainFiles().begin() + 3);
  const Files other(TrainFiles().begin() + 3, TrainFiles().end());
  WriteTar(dir + "/1/all.tar", all);
  WriteTar(dir + "/2/dotted.tar", all, "./");
  WriteTar(dir + "/3/folder-itself.tar", all, "photos/");
  WriteTar(dir + "/4/all-{0..1}/0.tar", all);  // braces that are no range
  // Archives that are called as what they hold.
  WriteTar(dir + "/5/a-train-0.tar", half);
  WriteTar(dir + "/5/a-train-1.tar", other);
  WriteTar(dir + "/5/a-val-0.tar", ValFiles());
  WriteTar(dir + "/6/train.tar", TrainFiles(), "train/");
  WriteTar(dir + "/6/val.tar", ValFiles(), "val/");
  // Others beside those for validation are for training.
  WriteTar(dir + "/7/0.tar", half);
  WriteTar(dir + "/7/1.tar", other);
  WriteTar(dir + "/7/val/0.tar", ValFiles());
  // One archive with both parts, and a further one.
  WriteTar(dir + "/8/0.tar",
           Joined(Below("train/", half), Below("val/", ValFiles())));
  WriteTar(dir + "/8/1.tar", Below("train/", other));
  for (const std::string& path :
       {dir + "/1/all.tar", dir + "/1", dir + "/2/dotted.tar",
        dir + "/3/folder-itself.tar", dir + "/4/all-{0..1}", dir + "/5",
        dir + "/5/a-train-{0..1}.tar," + dir + "/5/a-val-0.tar", dir + "/6",
        dir + "/7", dir + "/8", dir + "/8/{0..1}.tar"}) {
    SCOPED_TRACE(path);
    const absl::StatusOr<Images> tars = FindImages(path, "", 3);
    ASSERT_TRUE(tars.ok()) << tars.status();
    ExpectSame(*tars, *files);
    EXPECT_THAT(tars->notes, IsEmpty());
  }
  EXPECT_THAT(Names(*FindImages(dir + "/5", "", 3)->test),
              ElementsAre("a-val-0.tar/ant/v1.jpg", "a-val-0.tar/cat/v2.jpg"));
  EXPECT_EQ(FindImages(dir + "/3/folder-itself.tar", "", 3)->test->name(0),
            "folder-itself.tar/photos/val/ant/v1.jpg");
  EXPECT_EQ(FindImages(dir + "/7", "", 3)->test->name(0),
            "val/0.tar/ant/v1.jpg");
}

// Errors and notes are those that the same files in a folder have.
TEST(ShardsFoldersTest, WhatAFolderIsToldAnArchiveIsToo) {
  const std::string dir = TestFolder();
  const std::vector<Files> layouts = {
      {"train/cat/1.jpg", "train/2.jpg", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "val/cat/3.jpg", "val/dog/4.jpg"},
      {"train/cat/1.jpg", "train/dog/2.txt", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "train/dog/", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "train/test/2.jpg", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "Training/cat/2.jpg", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "val/cat/2.txt"},
      {"train/cat/1.jpg", "val/images/3.jpg"},
      {"train/cat/1.jpg", "val/3.jpg"},
      {"train/cat/1.jpg", "valid/cat/2.jpg", "val/cat/3.jpg", "test/4.jpg"},
      {"train/cat/1.jpg", "train/cat/val/2.jpg", "val/cat/3.jpg"},
      {"train/cat/1.jpg", "train/notes.txt", "val/cat/3.jpg", "val/a/b.json"},
      {"train/cat/1.jpg", "val/cat/3.jpg", "beside.jpg", "beside.txt"},
      {"Training/1.jpg", "2021/2.jpg", "2021/val/3.jpg", "4.jpg"},
      {"train/cat/e\u0301/1.jpg", "train/\u00e9/1.jpg", "train/e\u0301/2.jpg",
       "val/\u00e9/3.jpg"},
      {"cat/1.jpg", "dog/2.jpg", "dog/val/3.jpg"},
      {"val/cat/1.jpg", "2.jpg"},
      {"train/cat/1.jpg", "train/dog/2.jpg"},
      {"train/.hidden/1.jpg", "train/cat/@eaDir/2.jpg", "train/cat/3.jpg",
       "val/cat/4.jpg"},
  };
  int told = 0;
  for (size_t i = 0; i < layouts.size(); ++i) {
    const std::string folder = absl::StrCat(dir, "/", i);
    const std::string tar = absl::StrCat(dir, "/", i, ".tar");
    WriteFiles(folder, layouts[i]);
    WriteTar(tar, layouts[i]);
    SCOPED_TRACE(folder);
    const absl::StatusOr<Images> files = FindImages(folder, "", 3);
    const absl::StatusOr<Images> tars = FindImages(tar, "", 3);
    EXPECT_EQ(files.status().code(), tars.status().code());
    const auto of_tar = [&](absl::string_view text) {
      return absl::StrReplaceAll(
          text, {{absl::StrCat("folder ", folder, " "), folder + " "},
                 {absl::StrCat(folder, "/"), absl::StrCat(tar, "/")}});
    };
    if (!files.ok()) {
      ++told;
      // A folder without an image has a message of its own.
      if (absl::IsNotFound(files.status())) {
        EXPECT_THAT(std::string(tars.status().message()),
                    HasSubstr(tar + "/val has no file whose name ends in "));
        continue;
      }
      EXPECT_EQ(absl::StrReplaceAll(of_tar(files.status().message()),
                                    {{folder + " ", tar + " "}}),
                absl::StrReplaceAll(tars.status().message(),
                                    {{"folder " + tar + " ", tar + " "}}));
      continue;
    }
    ASSERT_TRUE(tars.ok()) << tars.status();
    ExpectSame(*tars, *files);
    EXPECT_EQ(files->notes, tars->notes);
    told += files->notes.empty() ? 0 : 1;
    std::vector<std::string> names;
    for (const std::string& name : Names(*tars->train)) {
      names.emplace_back(absl::StripPrefix(name, absl::StrCat(i, ".tar/")));
    }
    EXPECT_EQ(names, Names(*files->train));
  }
  EXPECT_GE(told, 12);  // so the layouts are what they should be
}

TEST(ShardsFoldersTest, WithoutClassFoldersNothingIsScored) {
  const std::string dir = TestFolder();
  WriteTar(dir + "/train-0.tar", {"1.jpg", "2.jpg"});
  WriteTar(dir + "/val-0.tar", {"3.jpg"});
  const absl::StatusOr<Images> images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_EQ(images->train->size(), 2);
  EXPECT_EQ(images->test, nullptr);
  EXPECT_THAT(images->notes,
              ElementsAre(dir + "/val-0.tar is not used: " + dir +
                          "/train-0.tar has no labels (neither .cls files nor "
                          "class folders)"));
}

TEST(ShardsFoldersTest, NothingCalledAsATestSetIsTrainedOn) {
  const std::string dir = TestFolder();
  WriteTar(dir + "/a.tar", {"val/1.jpg"});
  EXPECT_THAT(Error(dir + "/a.tar"),
              HasSubstr("a.tar has no images but those of " + dir +
                        "/a.tar/val, which is called as a validation"));
  // If archives are called so, too, it is what was meant.
  for (const char* name : {"/val-0.tar", "/test.tar"}) {
    WriteTar(dir + name, {"1.jpg", "2.jpg"}, "test/");
    const absl::StatusOr<Images> meant = FindImages(dir + name, "", 3);
    ASSERT_TRUE(meant.ok()) << meant.status();
    EXPECT_EQ(meant->train->size(), 2);
  }
  const std::string other = dir + "/other";
  WriteTar(other + "/train.tar", {"cat/1.jpg", "val/cat/2.jpg"});
  WriteTar(other + "/val.tar", {"cat/3.jpg"});
  const absl::StatusOr<Images> images = FindImages(other, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(Names(*images->train), ElementsAre("train.tar/cat/1.jpg"));
  EXPECT_THAT(Names(*images->test),
              ElementsAre("train.tar/val/cat/2.jpg", "val.tar/cat/3.jpg"));
  WriteTar(other + "/val.tar", {"train/cat/3.jpg"});
  EXPECT_THAT(Error(other),
              HasSubstr("val.tar is called as a validation or test set and has "
                        "train/cat/3.jpg in a folder that is called as a "
                        "training set; rename the archive"));
}

TEST(ShardsFoldersTest, AnArchiveWithATrainingSetBesideOneForValidation) {
  const std::string dir = TestFolder();
  WriteTar(dir + "/0.tar", {"Train/cat/1.jpg", "Train/dog/2.jpg"});
  WriteTar(dir + "/val.tar", {"cat/3.jpg"});
  const absl::StatusOr<Images> images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(images->classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(Names(*images->test), ElementsAre("val.tar/cat/3.jpg"));
  // Without a training image nothing else is trained on.
  WriteTar(dir + "/0.tar", {"notes.txt"});
  EXPECT_THAT(Error(dir),
              HasSubstr(dir + "/0.tar has no file whose name ends in "));
}

TEST(ShardsFoldersTest, ImagesBesideTheTrainingSetAreCounted) {
  const std::string path = TestFolder() + "/a.tar";
  WriteTar(path, {"Training/1.jpg", "2021/2.jpg", "3.jpg", "val/4.jpg"},
           "photos/");
  const absl::StatusOr<Images> images = FindImages(path, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(Names(*images->train),
              ElementsAre("a.tar/photos/Training/1.jpg"));
  EXPECT_THAT(images->notes,
              testing::Contains("2 images are not trained on, because they lie "
                                "beside the training set Training: "
                                "2021/2.jpg, ...; to train on all, rename that "
                                "folder"));
}

TEST(ShardsFoldersTest, NumbersAndSplitsInOneArchive) {
  const std::string path = TestFolder() + "/a.tar";
  Write(
      path,
      ToBytes(TarFile("train/dog/1.jpg", "") + TarFile("train/dog/1.cls", "1") +
              TarFile("train/cat/2.jpg", "") + TarFile("train/cat/2.cls", "0") +
              TarFile("val/3.jpg", "") + TarFile("val/3.cls", "1") +
              TarFile("test/4.jpg", "") + TarEnd()));
  const absl::StatusOr<Images> images = FindImages(path, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  // Numbers count, not folders.
  EXPECT_THAT(images->classes, ElementsAre("0", "1"));
  EXPECT_THAT(images->train->labels(), ElementsAre(0, 1));
  EXPECT_THAT(images->test->labels(), ElementsAre(1));
  EXPECT_THAT(images->notes, ElementsAre("test is not used: val is scored"));
}

TEST(ShardsFoldersTest, TheLastOfTheSameNameInAnArchiveCounts) {
  const std::string dir = TestFolder();
  Write(dir + "/0.tar",
        ToBytes(TarFile("cat/1.jpg", "old") + TarFile("cat/2.jpg", "2") +
                TarFile("./cat/1.jpg", "new") + TarEnd()));
  Write(dir + "/1.tar", ToBytes(TarFile("cat/1.jpg", "other") + TarEnd()));
  const absl::StatusOr<Images> images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  // Of two archives both count.
  EXPECT_THAT(
      Names(*images->train),
      ElementsAre("0.tar/cat/1.jpg", "1.tar/cat/1.jpg", "0.tar/cat/2.jpg"));
  EXPECT_THAT(Contents(*images->train), ElementsAre("new", "other", "2"));
  EXPECT_THAT(images->notes,
              ElementsAre("1 file was passed over because the archive has a "
                          "later one of the same name: 0.tar/cat/1.jpg"));
  const absl::StatusOr<ImageFiles> one =
      ReadImages(dir + "/0.tar/cat/1.jpg", 3);
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_THAT(Contents(*one->source), ElementsAre("new"));
}

TEST(ShardsFoldersTest, NamesThatLeadElsewhere) {
  const std::string path = TestFolder() + "/a.tar";
  Write(path,
        ToBytes(TarFile("/etc/1.jpg", "a") + TarFile("../../up/2.jpg", "b") +
                TarFile("x/../up/./3.jpg", "c") + TarFile("..", "") +
                TarFile("link.jpg", "", '2') + TarEnd()));
  const absl::StatusOr<ImageFiles> images = ReadImages(path, 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(
      Names(*images->source),
      ElementsAre("a.tar/etc/1.jpg", "a.tar/up/2.jpg", "a.tar/up/3.jpg"));
  EXPECT_THAT(images->notes,
              ElementsAre("1 file of other formats was passed over: "
                          "no suffix 1",
                          HasSubstr("1 was passed over as no regular file")));
}

TEST(ShardsFoldersTest, OddArchivesAmongOthers) {
  const std::string dir = TestFolder();
  const auto write = [&](const std::string& bytes) {
    Write(dir + "/1.tar", ToBytes(bytes));
  };
  const std::string label = TarFile("cat/lonely.cls", "7");
  // A label without its image is none.
  WriteTar(dir + "/0.tar", {"train/cat/1.jpg", "val/cat/2.jpg"});
  write(label + TarEnd());
  absl::StatusOr<Images> images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(images->classes, ElementsAre("cat"));
  // Nor is an archive without files.
  write(TarEnd());
  images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_EQ(images->train->size(), 1);
  EXPECT_THAT(images->notes, IsEmpty());
  // What is cut off ends it, whether it is trained on or listed.
  const std::string whole = TarFile("train/cat/3.jpg", std::string(900, 'x'));
  for (const std::string& bytes :
       {std::string(), whole.substr(0, 700), whole + whole.substr(0, 100)}) {
    write(bytes);
    EXPECT_THAT(Error(dir), HasSubstr(dir + "/1.tar: at byte "));
    EXPECT_THAT(std::string(ReadImages(dir, 3).status().message()),
                HasSubstr(dir + "/1.tar: at byte "));
  }
}

TEST(ReadImagesTest, ArchivesAreListedAsTheirFolder) {
  const std::string dir = TestFolder();
  const Files all =
      Joined(Below("val/", ValFiles()), Below("train/", TrainFiles()));
  WriteFiles(dir + "/files", Joined(all, {"notes.txt"}));
  const Files half(all.begin(), all.begin() + 4);
  const Files other(all.begin() + 4, all.end());
  WriteTar(dir + "/tar/x-0.tar", Joined(half, {"notes.txt"}));
  WriteTar(dir + "/tar/x-1.tar", other);
  const absl::StatusOr<ImageFiles> files = ReadImages(dir + "/files", 3);
  ASSERT_TRUE(files.ok()) << files.status();
  for (const std::string& path : {dir + "/tar", dir + "/tar/x-{0..1}.tar"}) {
    SCOPED_TRACE(path);
    const absl::StatusOr<ImageFiles> tars = ReadImages(path, 3);
    ASSERT_TRUE(tars.ok()) << tars.status();
    EXPECT_EQ(Contents(*tars->source), Contents(*files->source));
    EXPECT_EQ(tars->notes, files->notes);
    EXPECT_EQ(tars->source->name(0), "x-0.tar/train/Zebra/2.jpg");
    // Each name is that of an image below the folder.
    EXPECT_EQ(FolderOfShards(path), dir + "/tar");
    for (int64_t i = 0; i < tars->source->size(); ++i) {
      const absl::StatusOr<ImageFiles> one =
          ReadImages(dir + "/tar/" + tars->source->name(i), 3);
      ASSERT_TRUE(one.ok()) << one.status();
      EXPECT_EQ(Contents(*one->source)[0], Contents(*files->source)[i]);
    }
  }
  EXPECT_EQ(ReadImages(dir + "/tar/x-0.tar/none.jpg", 3).status(),
            absl::NotFoundError("archive " + dir +
                                "/tar/x-0.tar has no file none.jpg"));
  EXPECT_THAT(
      std::string(ReadImages(dir + "/tar/x-{0..2}.tar", 3).status().message()),
      HasSubstr("x-2.tar does not exist; it is one of "));
  EXPECT_EQ(FolderOfShards("x-{0..1}.tar"), "");
  EXPECT_EQ(FolderOfShards("/d{0..1}/x.tar"), "/");
}

TEST(ReadImagesTest, WhatExploreWroteIsNoImage) {
  const std::string dir = TestFolder();
  const std::string sheet = "answers/sheets/0123456789abcdef.jpg";
  const Files answers = {sheet, "answers/neighbors.csv"};
  const std::string by_hash = "mine/sheets/89abcdef01234567.jpg";
  WriteTar(dir + "/a.tar", Joined({"1.jpg", by_hash}, answers));
  const absl::StatusOr<ImageFiles> packed = ReadImages(dir + "/a.tar", 3);
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_THAT(Names(*packed->source),
              ElementsAre("a.tar/1.jpg", "a.tar/" + by_hash));
  EXPECT_THAT(packed->notes,
              ElementsAre("1 file of other formats was passed over: .csv 1",
                          "1 sheet of thumbnails that explore wrote was passed "
                          "over: " +
                              sheet));
  // Beside archives they do not make a folder of images.
  WriteFiles(dir, answers);
  EXPECT_TRUE(IsShards(dir));
  WriteTar(dir + "/a.tar", answers);
  EXPECT_THAT(Error(dir + "/a.tar"),
              HasSubstr("a.tar has no images but 1 sheet of thumbnails"));
}

TEST(ReadImagesTest, AStampTellsPlacesAndChanges) {
  const std::string path = TestFolder() + "/a.tar";
  WriteTar(path, {"1.jpg", "2.jpg"});
  const absl::StatusOr<ImageFiles> images = ReadImages(path, 3);
  ASSERT_TRUE(images.ok()) << images.status();
  const std::string first = images->source->Stamp(0);
  EXPECT_NE(first, "");
  EXPECT_NE(first, images->source->Stamp(1));
  EXPECT_EQ(first, ReadImages(path, 3)->source->Stamp(0));
  WriteTar(path, {"1.jpg", "2.jpg", "3.jpg"});
  EXPECT_NE(first, ReadImages(path, 3)->source->Stamp(0));
  std::filesystem::remove(path);
  EXPECT_EQ(images->source->Stamp(0), "");
}

}  // namespace
}  // namespace gsg
