#include "trainers/image/folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "trainers/base/interrupt.h"
#include "trainers/image/folder_scan.h"

namespace gsg {
namespace {

using ::testing::AllOf;
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

std::vector<std::string> Names(const ImageSource& source) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return names;
}

Images Read(const std::string& dir) {
  absl::StatusOr<Images> folder = ReadFolder(dir, 3);
  EXPECT_TRUE(folder.ok()) << folder.status();
  return folder.ok() ? *std::move(folder) : Images();
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
  const Images folder = Read(dir);
  EXPECT_THAT(folder.classes, ElementsAre("ant", "cat", "dog"));
  EXPECT_THAT(
      Names(*folder.train),
      ElementsAre("train/ant/1.jpg", "train/cat/2.webp", "train/cat/x/1.jpeg",
                  "train/dog/a.JPG", "train/dog/b.png"));
  EXPECT_THAT(folder.train->labels(), ElementsAre(0, 1, 1, 2, 2));
  EXPECT_THAT(Names(*folder.test),
              ElementsAre("val/cat/10.png", "val/cat/9.PNG", "val/dog/c.jpg"));
  EXPECT_THAT(folder.test->labels(), ElementsAre(1, 1, 2));
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
  const Images folder = Read(dir + "/");
  EXPECT_THAT(Names(*folder.train),
              ElementsAre("1.jpg", "b/2.jpg", "b/c/3.png"));
  EXPECT_THAT(folder.train->labels(), ElementsAre());
  EXPECT_EQ(folder.test, nullptr);
  EXPECT_THAT(folder.classes, ElementsAre());
}

TEST(FolderTest, TrainAloneIsWithoutLabels) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "extra/2.jpg"});
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train), ElementsAre("train/a/1.jpg"));
  EXPECT_EQ(folder.test, nullptr);
  EXPECT_THAT(folder.notes,
              ElementsAre("1 image is not trained on, because it lies beside "
                          "the training set train: extra/2.jpg; to train on "
                          "all, rename that folder"));
}

// A sports club's photographs of its training.
TEST(FolderTest, ImagesBesideTheTrainingSetAreCounted) {
  const std::string dir = TestFolder();
  Touch(dir, {"Training/1.jpg", "Training/2.jpg", "2021/a/3.jpg", "2022/4.jpg",
              "5.jpg", "notes.txt", "test/6.jpg", "2022/val/7.jpg"});
  // What is trained on, or called as a test set, does not count.
  Touch(dir, {"linked/8.jpg"});
  std::filesystem::create_symlink("../linked", dir + "/Training/more");
  std::filesystem::create_symlink("test", dir + "/tests_again");
  Images folder = Read(dir);
  EXPECT_THAT(
      Names(*folder.train),
      ElementsAre("Training/1.jpg", "Training/2.jpg", "Training/more/8.jpg"));
  const std::string note =
      "3 images are not trained on, because they lie beside the training set "
      "Training: 2021/a/3.jpg, ...; to train on all, rename that folder";
  EXPECT_THAT(folder.notes, ElementsAre(HasSubstr("test is not scored"), note));
  // With labels, too.
  std::filesystem::remove_all(dir + "/Training");
  Touch(dir, {"Training/a/1.jpg", "val/a/2.jpg"});
  EXPECT_THAT(Read(dir).notes,
              ElementsAre("test is not used: val is scored",
                          HasSubstr("4 images are not trained on")));
  // What may not be read there is no error, for it is not used.
  std::filesystem::permissions(dir + "/2022", std::filesystem::perms::none);
  folder = Read(dir);
  std::filesystem::permissions(dir + "/2022", std::filesystem::perms::all);
  EXPECT_THAT(folder.classes, ElementsAre("a"));
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
  Touch(dir, {"a.xcf", "b/c.txt", "b/d.txt"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              AllOf(HasSubstr("has no file whose name ends in .jpg, .jpeg, "),
                    HasSubstr(", the formats that are read, but 3 others")));
}

TEST(FolderTest, ClassWithoutAnImage) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/b/1.txt", "val/a/1.jpg"});
  EXPECT_EQ(Message(dir, absl::StatusCode::kInvalidArgument),
            absl::StrCat("class folder ", dir,
                         "/train/b has no file whose name ends in ",
                         kImageSuffixes, "; add images or remove it"));
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

// Names as people write them.
TEST(FolderTest, SplitsInAnyCaseAndOtherWords) {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"Train", "Test"},
      {"TRAIN", "VAL"},
      {"training", "valid"},
      {"train", "validation"},
      {"Training", "Validation"},
      {"train", "dev"},
      {"train", "Testing"},
      {"train2017", "val2017"},
      {"training_set", "test_set"},
      {"Train", "Test-Images 2"}};
  for (const auto& [train, test] : names) {
    const std::string dir = TestFolder();
    Touch(dir, {train + "/a/1.jpg", train + "/b/2.jpg", test + "/a/3.jpg"});
    const Images folder = Read(dir);
    EXPECT_THAT(Names(*folder.train),
                ElementsAre(train + "/a/1.jpg", train + "/b/2.jpg"));
    ASSERT_NE(folder.test, nullptr) << test;
    EXPECT_THAT(Names(*folder.test), ElementsAre(test + "/a/3.jpg"));
    EXPECT_THAT(folder.notes, ElementsAre());
  }
}

TEST(FolderTest, OneOfSeveralTestSetsIsScored) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "test/a/2.jpg", "dev/a/3.jpg", "val/a/4.jpg"});
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.test), ElementsAre("val/a/4.jpg"));
  EXPECT_THAT(folder.notes, ElementsAre("dev is not used: val is scored",
                                        "test is not used: val is scored"));
}

TEST(FolderTest, TwoTrainingSets) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "Train/a/2.jpg", "val/a/3.jpg"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kInvalidArgument),
              HasSubstr("has two training sets, Train and train"));
}

TEST(FolderTest, ATestSetWithoutLabelsIsNotScored) {
  std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/b/2.jpg", "test/1.jpg", "test/2.jpg"});
  Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train),
              ElementsAre("train/a/1.jpg", "train/b/2.jpg"));
  EXPECT_EQ(folder.test, nullptr);
  EXPECT_THAT(folder.classes, ElementsAre());
  EXPECT_THAT(
      folder.notes,
      ElementsAre("test is not scored: it has no labels (no class folders)"));
  // As Tiny ImageNet's.
  dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "val/images/1.jpg", "test/a/1.jpg"});
  folder = Read(dir);
  EXPECT_THAT(Names(*folder.test), ElementsAre("test/a/1.jpg"));
  EXPECT_THAT(folder.notes,
              ElementsAre("val is not scored: it has no labels (no folder in "
                          "it, such as images, is a class of train)"));
}

TEST(FolderTest, NothingCalledTestIsTrainedOn) {
  const std::string dir = TestFolder();
  Touch(dir, {"pets/train/1.jpg", "pets/Test/2.jpg", "3.jpg", "VAL/4.jpg",
              "dev/5.jpg"});
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train), ElementsAre("3.jpg", "pets/train/1.jpg"));
  EXPECT_THAT(folder.notes,
              ElementsAre("not trained on, because it is called as a "
                          "validation or test set: VAL, ..."));
  // It alone, as the user says.
  EXPECT_THAT(Names(*Read(dir + "/dev").train), ElementsAre("5.jpg"));
  // embed reads whatever is there.
  EXPECT_EQ(ReadFolderImages(dir, 3)->source->size(), 5);
}

TEST(FolderTest, NothingButATestSet) {
  const std::string dir = TestFolder();
  Touch(dir, {"test/a/1.jpg"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("has no images but those of test, which is called as a "
                        "validation or test set and is not trained on; if it "
                        "is meant, pass " +
                        dir + "/test"));
}

TEST(FolderTest, ClassCalledTest) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/Test/2.jpg", "val/a/1.jpg"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kInvalidArgument),
              HasSubstr("class folder " + dir +
                        "/train/Test is called as a validation or test set"));
}

TEST(FolderTest, LinksToTheTestSetAreNotFollowed) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "test/a/2.jpg", "extra/3.jpg"});
  std::filesystem::create_symlink("../../test", dir + "/train/a/more");
  std::filesystem::create_symlink("../../test/a", dir + "/train/a/inner");
  std::filesystem::create_symlink("../..", dir + "/train/a/up");
  std::filesystem::create_symlink("../../extra", dir + "/train/a/extra");
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train),
              ElementsAre("train/a/1.jpg", "train/a/extra/3.jpg"));
  EXPECT_THAT(folder.notes, ElementsAre(HasSubstr("3 links lead to folders")));
}

TEST(FolderTest, TrainAndTestAreTheSameFolder) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg"});
  std::filesystem::create_symlink("train", dir + "/val");
  EXPECT_THAT(Message(dir, absl::StatusCode::kInvalidArgument),
              HasSubstr("/val is the same as"));
}

// Twice a link to a folder above made 12 images 246, and 2 loops never ended.
TEST(FolderTest, EachRealFolderOnce) {
  const std::string dir = TestFolder();
  Touch(dir,
        {"train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "pool/4.jpg"});
  for (const char* name : {"again", "and_again"}) {
    std::filesystem::create_symlink("../../train", dir + "/train/cat/" + name);
    std::filesystem::create_symlink(".", dir + "/train/dog/" + name);
  }
  std::filesystem::create_symlink("../cat", dir + "/train/dog/a_cat");
  std::filesystem::create_symlink("../../pool", dir + "/train/cat/pool");
  std::filesystem::create_symlink("../../pool", dir + "/train/dog/pool");
  std::filesystem::create_symlink("../train", dir + "/pool/back");
  std::filesystem::create_symlink("gone", dir + "/train/dog/gone.jpg");
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train),
              ElementsAre("train/cat/1.jpg", "train/cat/pool/4.jpg",
                          "train/dog/2.jpg", "train/dog/gone.jpg"));
  EXPECT_THAT(folder.notes, ElementsAre(HasSubstr("7 links lead to folders")));
}

TEST(FolderTest, ClassThatIsALinkToAnother) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/cat/1.jpg", "val/cat/3.jpg"});
  std::filesystem::create_symlink("cat", dir + "/train/kitty");
  EXPECT_THAT(Message(dir, absl::StatusCode::kInvalidArgument),
              HasSubstr("train/kitty is a link and has no images of its own"));
}

TEST(FolderTest, WhatIsNoRegularFileIsNotOpened) {
  const std::string dir = TestFolder();
  Touch(dir, {"a/1.jpg"});
  ASSERT_EQ(mkfifo((dir + "/a/pipe.jpg").c_str(), 0600), 0);
  std::filesystem::create_symlink("pipe.jpg", dir + "/a/link.jpg");
  std::filesystem::create_symlink("/dev/zero", dir + "/a/zero.png");
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train), ElementsAre("a/1.jpg"));
  EXPECT_THAT(folder.notes, ElementsAre("3 were passed over as no regular file "
                                        "(a pipe, socket or device)"));
}

TEST(FolderTest, OtherFormatsAreCountedInOneLine) {
  const std::string dir = TestFolder();
  Touch(dir,
        {"train/a/1.jpg", "train/a/2.psd", "train/a/3.PSD", "train/a/4.xcf",
         "val/a/5.jpg", "val/a/6.psd", "train/README", "train/a/.7.psd"});
  EXPECT_THAT(Read(dir).notes,
              ElementsAre("5 files of other formats were passed over: .psd 3, "
                          ".xcf 1, no suffix 1"));
}

// A telephone's photographs are not each a damaged one where there is nothing
// to read them with: a program looks for libheif once, hence in one of its own.
TEST(FolderDeathTest, WithoutLibheif) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const std::string dir = TestFolder();
  Touch(dir, {"1.jpg", "2.heic", "3.HEIC", "4.avif"});
  EXPECT_EXIT(
      {
        setenv("GSG_LIBHEIF", "/no/libheif.so.1", 1);
        std::fputs(Read(dir).notes.at(0).c_str(), stderr);
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "3 files of other formats were passed over: .heic 2, .avif 1. For .avif "
      "files GSG_LIBHEIF=/no/libheif.so.1 cannot be loaded as libheif");
}

TEST(FolderTest, WhatOtherProgramsLeaveBehind) {
  const std::string dir = TestFolder();
  Touch(dir, {"train/a/1.jpg", "train/a/@eaDir/1.jpg/SYNOPHOTO_M.jpg",
              "train/@eaDir/2.jpg", "__MACOSX/train/a/._1.jpg",
              "train/.ipynb_checkpoints/3.jpg", "val/a/4.jpg",
              "val/__MACOSX/5.jpg", "train/a/Thumbs.db"});
  const Images folder = Read(dir);
  EXPECT_THAT(folder.classes, ElementsAre("a"));
  EXPECT_THAT(Names(*folder.train), ElementsAre("train/a/1.jpg"));
  EXPECT_THAT(Names(*folder.test), ElementsAre("val/a/4.jpg"));
  EXPECT_THAT(folder.notes, ElementsAre());
}

// Whether it has finished or not; a user's own folder called so is read.
TEST(FolderTest, WhatExploreWroteIsNoImage) {
  const std::string dir = TestFolder();
  const std::string by_hash = "mine/sheets/89abcdef01234567.jpg";
  Touch(dir, {"answers/index.json", "answers/neighbors.csv",
              "answers/sheets/0123456789abcdef.jpg", "half/neighbors.csv",
              "half/sheets/00112233445566ff.jpg", "half/sheets/1.jpg", by_hash,
              "mine/index.json"});
  const Images folder = Read(dir);
  EXPECT_THAT(Names(*folder.train), ElementsAre("half/sheets/1.jpg", by_hash));
  EXPECT_THAT(
      folder.notes,
      ElementsAre("4 files of other formats were passed over: .csv 2, .json 2",
                  HasSubstr("2 sheets of thumbnails that explore wrote were "
                            "passed over: ")));
  const absl::StatusOr<ImageFiles> listed = ReadFolderImages(dir, 3);
  EXPECT_EQ(listed->source->size(), 2);
  EXPECT_EQ(listed->notes, folder.notes);
  EXPECT_THAT(Message(dir + "/answers", absl::StatusCode::kNotFound),
              HasSubstr("/answers has no images but 1 sheet of thumbnails that "
                        "explore wrote; --dataset=folder expects"));
  // They alone, as the user says.
  EXPECT_EQ(ReadFolderImages(dir + "/half/sheets", 3)->source->size(), 2);
}

// An e and an accent, as a Mac stores them, and the one character.
TEST(FolderTest, ClassNamesInTwoUnicodeForms) {
  const std::string apart = "cafe\u0301";
  const std::string whole = "caf\u00e9";
  std::string dir = TestFolder();
  Touch(dir, {"train/" + apart + "/1.jpg", "train/dog/2.jpg",
              "val/" + whole + "/3.jpg"});
  EXPECT_THAT(Read(dir).test->labels(), ElementsAre(0));
  Touch(dir, {"train/" + whole + "/4.jpg"});
  const Images folder = Read(dir);
  EXPECT_THAT(folder.classes, ElementsAre(apart, "dog"));
  EXPECT_THAT(folder.train->labels(), ElementsAre(0, 0, 1));
  EXPECT_THAT(folder.notes,
              ElementsAre(HasSubstr("differ only in how Unicode writes")));
}

TEST(FolderTest, AFileIsNotAFolder) {
  const std::string dir = TestFolder();
  Write(dir + "/photos.zip", {'P', 'K', 3, 4, 20, 0});
  EXPECT_THAT(Message(dir + "/photos.zip", absl::StatusCode::kInvalidArgument),
              HasSubstr(absl::StrCat(
                  "/photos.zip is a zip archive, not a folder: "
                  "unpack it (unzip '",
                  dir, "/photos.zip' -d '", dir, "/') and give the folder")));
  Write(dir + "/1.jpg", {0xFF, 0xD8, 0xFF, 0xE0});
  EXPECT_THAT(Message(dir + "/1.jpg", absl::StatusCode::kInvalidArgument),
              HasSubstr("/1.jpg is a JPEG image, not a folder: give the folder "
                        "that it lies in"));
  Write(dir + "/list", {'a'});
  EXPECT_THAT(Message(dir + "/list", absl::StatusCode::kInvalidArgument),
              HasSubstr("/list is a file, not a folder"));
  std::filesystem::remove(dir + "/1.jpg");
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("photos.zip is an archive: unpack it first"));
}

TEST(FolderTest, AnotherDataSetsFiles) {
  const std::string dir = TestFolder();
  Touch(dir, {"data_batch_1.bin"});
  EXPECT_THAT(Message(dir, absl::StatusCode::kNotFound),
              HasSubstr("That is CIFAR: pass --dataset=cifar10"));
}

TEST(FolderTest, AFolderThatCannotBeReadIsNamed) {
  const std::string dir = TestFolder();
  Touch(dir, {"a/1.jpg", "b/2.jpg"});
  std::filesystem::permissions(dir + "/b", std::filesystem::perms::none);
  const absl::Status status = ReadFolder(dir, 3).status();
  std::filesystem::permissions(dir + "/b", std::filesystem::perms::all);
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("folder " + dir + "/b cannot be read"));
}

TEST(FolderTest, AnInterruptEndsTheWalk) {
  const std::string dir = TestFolder();
  Touch(dir, {"a/1.jpg"});
  EXPECT_EXIT(
      {
        NoteInterrupt(SIGINT);
        std::fprintf(stderr, "%s",
                     ReadFolder(dir, 3).status().ToString().c_str());
        std::exit(0);
      },
      testing::ExitedWithCode(0), "CANCELLED: interrupted while folder");
}

TEST(ReadFolderImagesTest, OneFile) {
  const std::string dir = TestFolder();
  Touch(dir, {"1.jpg", "2.jpg"});
  Write(dir + "/photo", {0xFF, 0xD8, 0xFF, 0xE0});
  for (const char* name : {"1.jpg", "photo"}) {
    const absl::StatusOr<ImageFiles> one =
        ReadFolderImages(dir + "/" + name, 3);
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_THAT(Names(*one->source), ElementsAre(name));
  }
}

// The advice is about the flags of the program that asks.
TEST(ReadFolderImagesTest, Errors) {
  const std::string dir = TestFolder();
  const auto message = [&](const std::string& path) {
    return std::string(ReadFolderImages(path, 3).status().message());
  };
  EXPECT_THAT(message(dir + "/none"),
              HasSubstr("/none does not exist; --images expects a folder"));
  EXPECT_THAT(message(dir), HasSubstr("is empty; --images expects a folder"));
  Write(dir + "/notes.txt", {'a'});
  EXPECT_THAT(message(dir + "/notes.txt"),
              HasSubstr("is a file, not a folder"));
}

TEST(FolderTest, Channels) {
  const std::string dir = TestFolder();
  Touch(dir, {"1.jpg"});
  EXPECT_EQ(ReadFolder(dir, 1)->train->channels(), 1);
  EXPECT_EQ(ReadFolder(dir, 13)->train->channels(), 13);
  EXPECT_EQ(
      ReadFolder(dir, 0).status(),
      absl::InvalidArgumentError("--channels=0: must be 1 (gray), 3 (color) or "
                                 "what all images have, up to 1024"));
}

}  // namespace
}  // namespace gsg
