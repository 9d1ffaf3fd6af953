#include "trainers/image/shards.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/codec/encode.h"
#include "tests/trainers/image/codec/encode_more.h"
#include "tests/trainers/image/files.h"
#include "tests/trainers/image/tar_bytes.h"
#include "trainers/augment/options.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/file_source.h"
#include "trainers/image/images.h"
#include "trainers/views/loader.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Text(const FileBytes& bytes) {
  return std::string(bytes.begin(), bytes.end());
}

// A picture that differs from that of other numbers.
FileBytes Picture(int number) {
  FileBytes rgb;
  for (int i = 0; i < 3 * 20 * 24; ++i) {
    rgb.push_back(static_cast<uint8_t>(number * 31 + i * (number + 3)));
  }
  return EncodePpm(rgb, 20, 24);
}

void WriteTar(const std::string& path, const std::vector<std::string>& files) {
  std::filesystem::create_directories(
      std::filesystem::path(path).parent_path());
  std::string bytes;
  for (const std::string& file : files) bytes += file;
  Write(path, ToBytes(bytes + TarEnd()));
}

std::vector<std::string> Names(const ImageSource& source) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return names;
}

// Without the archive.
std::vector<std::string> NamesInside(const ImageSource& source) {
  std::vector<std::string> names = Names(source);
  for (std::string& name : names) name = name.substr(name.find(".tar/") + 5);
  return names;
}

std::string Error(const std::vector<std::string>& paths, int channels = 3) {
  return std::string(ReadShards(paths, channels).status().message());
}

TEST(ShardsTest, Braces) {
  EXPECT_THAT(*ExpandBraces("a-{008..011}.tar"),
              ElementsAre("a-008.tar", "a-009.tar", "a-010.tar", "a-011.tar"));
  EXPECT_THAT(*ExpandBraces("{0..1}/{5..6}"),
              ElementsAre("0/5", "0/6", "1/5", "1/6"));
  EXPECT_THAT(*ExpandBraces("a.tar"), ElementsAre("a.tar"));
  for (const char* bad : {"{", "{1}", "{1..}", "{a..b}", "{2..1}", "{1..2..3}",
                          "{-1..2}", "{0..99999999}", "{0..9999}{0..9999}"}) {
    EXPECT_THAT(std::string(ExpandBraces(bad).status().message()),
                HasSubstr("a range is written as in shard-{000..146}.tar"))
        << bad;
  }
}

TEST(ShardsTest, WhatIsShards) {
  const std::string dir = TestFolder();
  EXPECT_FALSE(IsShards(dir));
  EXPECT_TRUE(IsShards(dir + "/a-{0..1}.TAR"));
  EXPECT_FALSE(IsShards(dir + "/a-{0..1}.jpg"));
  WriteTar(dir + "/train/a.tar", {});
  EXPECT_TRUE(IsShards(dir));
  // An archive that lies beside images does not change what they are.
  Write(dir + "/cat.jpg", {});
  EXPECT_FALSE(IsShards(dir));
}

// What makes a run from shards equal one from the same files in a folder: the
// same images, by name and content, in the same order, and so the same batches.
TEST(ShardsTest, EqualsAFolderOfTheSameFiles) {
  const std::string dir = TestFolder();
  std::vector<std::string> shards(3);
  for (int i = 0; i < 24; ++i) {
    // An order in which no folder is read, spread over the shards.
    const int number = i * 7 % 24;
    const std::string name =
        absl::StrCat("d", number % 2, "/", number * number, ".ppm");
    std::filesystem::create_directories(dir + "/files/d0");
    std::filesystem::create_directories(dir + "/files/d1");
    Write(dir + "/files/" + name, Picture(number));
    shards[i % 3] += TarFile(name, Text(Picture(number)));
  }
  for (int i = 0; i < 3; ++i) {
    WriteTar(absl::StrCat(dir, "/tar/a-00", i, ".tar"), {shards[i]});
  }
  const absl::StatusOr<Images> files = FindImages(dir + "/files", "", 3);
  ASSERT_TRUE(files.ok()) << files.status();
  AugmentOptions augment;
  augment.size = 8;
  const auto batches = [&](const ImageSource& source) {
    DamagedImages damaged(0);
    LoaderOptions options;
    options.batch_size = 5;
    options.threads = 2;
    auto loader = BatchLoader::Create(&source, augment, options, &damaged);
    EXPECT_TRUE(loader.ok()) << loader.status();
    std::vector<float> pixels;
    for (int epoch = 0; epoch < 2; ++epoch) {
      (*loader)->StartEpoch(epoch);
      Batch batch;
      while (*(*loader)->Next(&batch)) {
        pixels.insert(pixels.end(), batch.pixels.begin(), batch.pixels.end());
      }
    }
    return pixels;
  };
  const std::vector<float> expected = batches(*files->train);
  EXPECT_FALSE(expected.empty());
  for (const std::string& path :
       {dir + "/tar", dir + "/tar/a-{000..002}.tar"}) {
    const absl::StatusOr<Images> tars = FindImages(path, "", 3);
    ASSERT_TRUE(tars.ok()) << tars.status();
    EXPECT_EQ(NamesInside(*tars->train), Names(*files->train));
    for (int64_t i = 0; i < 24; ++i) {
      const auto content = [i](const Images& images) {
        std::vector<uint8_t> bytes;
        const auto& source = dynamic_cast<const FileSource&>(*images.train);
        EXPECT_TRUE(source.ReadFile(i, &bytes).ok());
        return bytes;
      };
      ASSERT_EQ(content(*tars), content(*files)) << i;
    }
    EXPECT_EQ(batches(*tars->train), expected);
  }
}

TEST(ShardsTest, LabelsAndSplits) {
  const std::string dir = TestFolder();
  // Beside the image, or beside the sample that it is a part of.
  WriteTar(dir + "/set-train-0.tar",
           {TarFile("2.jpg", "b"), TarFile("2.cls", "1\n"),
            TarFile("1.left.png", "a"), TarFile("1.cls", "0"),
            TarFile("1.json", "{}"), TarFile("._1.jpg", "")});
  WriteTar(dir + "/set-train-1.tar",
           {TarFile("0.cls", " 4 "), TarFile("0.jpg", "c")});
  WriteTar(dir + "/set-val-0.tar",
           {TarFile("9.jpg", "d"), TarFile("9.cls", "4")});
  WriteTar(dir + "/set-test-0.tar", {TarFile("8.jpg", "d")});
  const absl::StatusOr<Images> images = ReadShards({dir}, 3);
  ASSERT_TRUE(images.ok()) << images.status();
  EXPECT_THAT(Names(*images->train),
              ElementsAre("set-train-1.tar/0.jpg", "set-train-0.tar/1.left.png",
                          "set-train-0.tar/2.jpg"));
  EXPECT_THAT(images->train->labels(), ElementsAre(4, 0, 1));
  ASSERT_NE(images->test, nullptr);
  EXPECT_THAT(Names(*images->test), ElementsAre("set-val-0.tar/9.jpg"));
  EXPECT_THAT(images->test->labels(), ElementsAre(4));
  EXPECT_THAT(images->classes, ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(images->notes,
              ElementsAre(HasSubstr("1 archive called as a test set, such as "),
                          "1 file of other formats was passed over: .json 1"));
  // Training alone.
  const absl::StatusOr<Images> train =
      ReadShards({dir + "/set-train-{0..1}.tar"}, 3);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ(train->test, nullptr);
  EXPECT_THAT(train->train->labels(), IsEmpty());
  EXPECT_THAT(train->notes[0], HasSubstr("the labels (.cls) are not used"));
  // If it is all that there is, it is meant.
  EXPECT_EQ(ReadShards({dir + "/set-val-0.tar"}, 3)->train->size(), 1);
}

TEST(ShardsTest, SplitsInFolders) {
  const std::string dir = TestFolder();
  WriteTar(dir + "/Train/0.tar", {TarFile("1.jpg", ""), TarFile("1.cls", "0")});
  WriteTar(dir + "/Valid/0.tar", {TarFile("2.jpg", ""), TarFile("2.cls", "0")});
  const absl::StatusOr<Images> images = FindImages(dir, "", 3);
  ASSERT_TRUE(images.ok()) << images.status();
  ASSERT_NE(images->test, nullptr);
  EXPECT_THAT(Names(*images->test), ElementsAre("Valid/0.tar/2.jpg"));
}

TEST(ShardsTest, Errors) {
  const std::string dir = TestFolder();
  const std::string a = dir + "/a.tar";
  EXPECT_EQ(Error({a}), a + " does not exist");
  EXPECT_THAT(Error({dir + "/a-{0..1}.tar"}),
              HasSubstr("a-0.tar does not exist; it is one of "));
  WriteTar(a, {TarFile("1.txt", ""), TarFile("1.cls", "1")});
  EXPECT_THAT(Error({a}), HasSubstr("but 1 others (.txt 1)"));
  WriteTar(a, {TarFile("1.jpg", ""), TarFile("1.cls", "cat")});
  EXPECT_THAT(Error({a}), HasSubstr("a.tar: 1.cls must hold the number"));
  WriteTar(a,
           {TarFile("1.jpg", ""), TarFile("1.cls", "1"), TarFile("2.jpg", "")});
  EXPECT_THAT(Error({a}),
              HasSubstr("a.tar/2.jpg has no .cls file beside it, and 1 other"));
  WriteTar(a, {TarFile("1.jpg", ""), TarFile("1.cls", "1")});
  WriteTar(dir + "/val.tar", {TarFile("1.jpg", ""), TarFile("1.cls", "2")});
  EXPECT_THAT(Error({dir}),
              HasSubstr("1.jpg is of class 2; those of training end at 1"));
  EXPECT_THAT(Error({a}, 0), HasSubstr("--channels=0"));
}

TEST(ShardsTest, AnArchiveThatChangesMeanwhile) {
  const std::string a = TestFolder() + "/a.tar";
  WriteTar(a, {TarFile("1.jpg", "")});
  const absl::StatusOr<Images> images = ReadShards({a}, 3);
  ASSERT_TRUE(images.ok());
  WriteTar(a, {TarFile("1.jpg", ""), TarFile("2.jpg", "")});
  EXPECT_THAT(
      std::string(images->train->MakeReader()->Open(0).status().message()),
      HasSubstr("had 1536 when the program started"));
}

}  // namespace
}  // namespace gsg
