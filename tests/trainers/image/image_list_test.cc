#include "trainers/image/image_list.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "tests/trainers/image/tar_bytes.h"
#include "trainers/image/file_source.h"
#include "trainers/image/images.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImageListTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = TestFolder();
    std::filesystem::create_directory(dir_ + "/a");
    Write(dir_ + "/a/1.jpg", {1});
  }

  std::string ListOf(const std::string& text) {
    Write(dir_ + "/list", ToBytes(text));
    return dir_ + "/list";
  }
  Images Read(const std::string& text) {
    absl::StatusOr<Images> images = ReadImageList(ListOf(text), 3);
    EXPECT_TRUE(images.ok()) << images.status();
    return images.ok() ? *std::move(images) : Images();
  }
  std::string Error(const std::string& text) {
    return std::string(ReadImageList(ListOf(text), 3).status().message());
  }
  static std::vector<std::string> Names(const ImageSource& source) {
    std::vector<std::string> names;
    for (int64_t i = 0; i < source.size(); ++i) names.push_back(source.name(i));
    return names;
  }

  std::string dir_;
};

TEST_F(ImageListTest, APathALine) {
  const Images images = Read(
      "\xEF\xBB\xBF"
      "a/1.jpg\r\n\nb, c.png\n0.jpg\nnotes.txt");
  EXPECT_THAT(Names(*images.train),
              ElementsAre("a/1.jpg", "b, c.png", "0.jpg"));
  EXPECT_EQ(images.test, nullptr);
  EXPECT_THAT(images.notes,
              ElementsAre("1 file of other formats was passed over: .txt 1"));
  std::vector<uint8_t> bytes;
  const auto& files = dynamic_cast<const FileSource&>(*images.train);
  ASSERT_TRUE(files.ReadFile(0, &bytes).ok());
  EXPECT_EQ(bytes, Bytes{1});
}

TEST_F(ImageListTest, PathsIntoArchives) {
  Write(dir_ + "/a/b.tar",
        ToBytes(TarFile("x/1.jpg", "old") + TarFile("2.jpg", "two") +
                TarFile("x/1.jpg", "new") + TarEnd()));
  const Images images = Read("a/b.tar/x/1.jpg\na/1.jpg\na/b.tar/2.jpg\n");
  EXPECT_THAT(Names(*images.train),
              ElementsAre("a/b.tar/x/1.jpg", "a/1.jpg", "a/b.tar/2.jpg"));
  const auto& files = dynamic_cast<const FileSource&>(*images.train);
  std::vector<uint8_t> bytes;
  ASSERT_TRUE(files.ReadFile(0, &bytes).ok());
  EXPECT_EQ(bytes, ToBytes("new"));
  ASSERT_TRUE(files.ReadFile(1, &bytes).ok());
  EXPECT_EQ(bytes, Bytes{1});
  ASSERT_TRUE(files.ReadFile(2, &bytes).ok());
  EXPECT_EQ(bytes, ToBytes("two"));
  EXPECT_NE(files.Stamp(0), files.Stamp(2));
  const Images absolute = Read("a/b.tar/2.jpg\n" + dir_ + "/a/1.jpg\n");
  ASSERT_TRUE(dynamic_cast<const FileSource&>(*absolute.train)
                  .ReadFile(0, &bytes)
                  .ok());
  EXPECT_EQ(bytes, ToBytes("two"));
  EXPECT_THAT(Error("a/1.jpg\na/b.tar/3.jpg\n"),
              AllOf(HasSubstr("line 2: archive "),
                    HasSubstr("a/b.tar has no file 3.jpg")));
  Write(dir_ + "/c.tar", ToBytes("no tar"));
  EXPECT_THAT(Error("c.tar/1.jpg\n"), HasSubstr("line 1: "));
}

TEST_F(ImageListTest, AbsolutePaths) {
  const Images images = Read("a/1.jpg\n/x/2.jpg\n");
  EXPECT_THAT(Names(*images.train), ElementsAre(dir_ + "/a/1.jpg", "/x/2.jpg"));
}

TEST_F(ImageListTest, LabelsAndSplits) {
  const Images images = Read(
      "Label,path,other,SPLIT\n"
      "10,a/1.jpg,,train\n"
      "9,\"b, \"\"c\"\".png\",x,\n"
      "10,3.jpg,,Validation\n"
      "9,4.jpg,,test\n");
  EXPECT_THAT(Names(*images.train), ElementsAre("a/1.jpg", "b, \"c\".png"));
  EXPECT_THAT(images.classes, ElementsAre("9", "10"));
  EXPECT_THAT(images.train->labels(), ElementsAre(1, 0));
  ASSERT_NE(images.test, nullptr);
  EXPECT_THAT(Names(*images.test), ElementsAre("3.jpg"));
  EXPECT_THAT(images.test->labels(), ElementsAre(1));
  EXPECT_THAT(images.notes, ElementsAre("1 image of split test not used: val "
                                        "is scored"));
}

TEST_F(ImageListTest, NamesAreSortedByBytes) {
  const Images images =
      Read("path,label,split\na/1.jpg,b,\n2.jpg,10,\n3.jpg,9,\n4.jpg,b,test\n");
  EXPECT_THAT(images.classes, ElementsAre("10", "9", "b"));
}

TEST_F(ImageListTest, WithoutValidationNothingIsScored) {
  const Images images = Read("path,label\na/1.jpg,cat\n");
  EXPECT_THAT(images.classes, IsEmpty());
  EXPECT_THAT(images.train->labels(), IsEmpty());
  EXPECT_THAT(
      images.notes,
      ElementsAre(HasSubstr("nothing is scored without a column split")));
  EXPECT_THAT(Read("path,split\na/1.jpg,\n2.jpg,val\n").notes,
              ElementsAre(HasSubstr("there is no column label")));
}

TEST_F(ImageListTest, Errors) {
  EXPECT_THAT(Error(""), HasSubstr("names no image to train on"));
  EXPECT_THAT(Error("a.txt\n"), HasSubstr("Other files: .txt 1"));
  EXPECT_THAT(Error("\nb.jpg\n"),
              HasSubstr("line 2: " + dir_ + "/b.jpg does not exist"));
  EXPECT_THAT(Error("path,label\na/1.jpg\n"),
              HasSubstr("line 2: 1 values for 2 columns"));
  EXPECT_THAT(Error("path,label\n\"a/1.jpg,x\n"),
              HasSubstr("line 2: a quotation mark has no partner"));
  EXPECT_THAT(Error("path,label\n,x\n"), HasSubstr("the path is missing"));
  EXPECT_THAT(Error("path,split\na/1.jpg,holdout\n"),
              HasSubstr("split \"holdout\""));
  EXPECT_THAT(Error("path,label,split\na/1.jpg,,\n2.jpg,x,val\n"),
              HasSubstr("line 2: the label is missing"));
  EXPECT_THAT(Error("path,label,split\na/1.jpg,x,\n2.jpg,y,val\n"),
              HasSubstr("line 3: label \"y\" is that of no training image"));
  EXPECT_THAT(Error(std::string("a\0.jpg", 6)), HasSubstr("it is no text"));
  EXPECT_THAT(std::string(ReadImageList(dir_, 3).status().message()),
              HasSubstr("is a folder, not a list"));
  EXPECT_EQ(ReadImageList(dir_ + "/none", 3).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(ReadImageList(dir_, 0).status().message()),
              HasSubstr("--channels=0"));
}

}  // namespace
}  // namespace gsg
