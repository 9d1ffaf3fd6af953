#include "trainers/image/idx.h"

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "trainers/image/image_set.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class IdxTest : public testing::Test {
 protected:
  // Two images of 2 x 3 pixels with labels 7 and 9.
  void SetUp() override {
    folder_ = TestFolder();
    images_ = folder_ + "/images";
    labels_ = folder_ + "/labels";
    Write(images_, Idx({2, 2, 3}, kPixels));
    Write(labels_, Idx({2}, {7, 9}));
  }

  void WriteGz(const std::string& path, const Bytes& bytes) {
    gzFile file = gzopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
    ASSERT_EQ(gzclose(file), Z_OK);
  }

  void ExpectDataLoss(const std::string& message) {
    const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
    EXPECT_EQ(set.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(set.status().message(), message);
  }

  static const Bytes kPixels;
  std::string folder_, images_, labels_;
};

const Bytes IdxTest::kPixels = {0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255};

TEST_F(IdxTest, ReadsPlainFiles) {
  const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->count, 2);
  EXPECT_EQ(set->channels, 1);
  EXPECT_EQ(set->height, 2);
  EXPECT_EQ(set->width, 3);
  EXPECT_THAT(set->pixels, ElementsAreArray(kPixels));
  EXPECT_THAT(set->labels, ElementsAre(7, 9));
}

TEST_F(IdxTest, ReadsCompressedFiles) {
  WriteGz(images_, Idx({2, 2, 3}, kPixels));
  WriteGz(labels_, Idx({2}, {7, 9}));
  const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->pixels, ElementsAreArray(kPixels));
  EXPECT_THAT(set->labels, ElementsAre(7, 9));
}

TEST_F(IdxTest, WrongMagicNumber) {
  Write(images_, Idx({2}, {7, 9}));
  ExpectDataLoss(
      absl::StrCat(images_,
                   ": magic number 0x00000801, expected 0x00000803 (unsigned "
                   "bytes, dimensions: 3)"));
}

TEST_F(IdxTest, MissingBytes) {
  Write(labels_, Idx({2}, {}));
  ExpectDataLoss(
      absl::StrCat(labels_, ": header promises 2 bytes, the file can hold 0"));
  Write(labels_, {0, 0, 8});
  ExpectDataLoss(absl::StrCat(labels_, ": ends after 3 of 4 bytes of header"));
  Write(images_, {});
  ExpectDataLoss(absl::StrCat(images_, ": ends after 0 of 4 bytes of header"));
}

// 2^32 - 1 images of 4096 x 4096 pixels would be 64 PB.
TEST_F(IdxTest, HugeHeaderDoesNotAllocate) {
  Write(images_, Idx({0xFFFFFFFF, 4096, 4096}, kPixels));
  ExpectDataLoss(
      absl::StrCat(images_,
                   ": header promises 4294967295 x 4096 x 4096 bytes, the file "
                   "can hold 12"));
  Write(images_, Idx({2, 2, 0xFFFFFFFF}, kPixels));
  ExpectDataLoss(absl::StrCat(
      images_,
      ": images of 2 x 4294967295 pixels, expected sides of 1 to 4096"));
}

TEST_F(IdxTest, HugeCompressedHeaderDoesNotAllocate) {
  WriteGz(images_, Idx({0xFFFFFFFF, 28, 28}, kPixels));
  const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
  EXPECT_THAT(std::string(set.status().message()),
              HasSubstr("header promises 4294967295 x 28 x 28 bytes, the file "
                        "can hold"));
}

TEST_F(IdxTest, CompressedFileCutOff) {
  WriteGz(images_, Idx({2, 2, 3}, kPixels));
  std::filesystem::resize_file(images_,
                               std::filesystem::file_size(images_) - 12);
  const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
  EXPECT_EQ(set.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(set.status().message()),
              HasSubstr(images_ + ": corrupt or cut off"));
}

TEST_F(IdxTest, CompressedFileWithAWrongChecksum) {
  WriteGz(images_, Idx({2, 2, 3}, kPixels));
  std::fstream file(images_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-8, std::ios::end);  // the checksum, then the length
  file.write("\1\2\3\4", 4);
  file.close();
  const absl::StatusOr<ImageSet> set = ReadIdx(images_, labels_, 10);
  EXPECT_EQ(set.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(set.status().message()),
              HasSubstr("incorrect data check"));
}

TEST_F(IdxTest, TrailingBytes) {
  Write(labels_, Idx({2}, {7, 9, 3, 3}));
  ExpectDataLoss(
      absl::StrCat(labels_, ": goes on after byte 10, where it should end"));
}

TEST_F(IdxTest, CountsDiffer) {
  Write(labels_, Idx({3}, {7, 9, 3}));
  ExpectDataLoss(
      absl::StrCat(labels_, ": 3 labels for the 2 images of ", images_));
}

TEST_F(IdxTest, LabelOutOfRange) {
  Write(labels_, Idx({2}, {7, 10}));
  ExpectDataLoss(
      absl::StrCat(labels_, ": label 10 of image 1, expected 0 to 9"));
}

TEST_F(IdxTest, NoImages) {
  Write(images_, Idx({0, 2, 3}, {}));
  ExpectDataLoss(absl::StrCat(
      images_, ": header promises 0 x 2 x 3 bytes, the file can hold 0"));
}

TEST_F(IdxTest, MissingFileAndFolder) {
  EXPECT_EQ(ReadIdx(folder_ + "/none", labels_, 10).status().code(),
            absl::StatusCode::kNotFound);
  const absl::Status status = ReadIdx(folder_, labels_, 10).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_));
}

}  // namespace
}  // namespace gsg
