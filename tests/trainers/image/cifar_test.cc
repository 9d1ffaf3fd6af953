#include "trainers/image/cifar.h"

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

TEST(CifarTest, ReadsFilesInOrder) {
  const std::string folder = TestFolder();
  Bytes two = CifarRecord({3}, 10);
  const Bytes second = CifarRecord({9}, 20);
  two.insert(two.end(), second.begin(), second.end());
  Write(folder + "/a", two);
  Write(folder + "/b", CifarRecord({0}, 30));

  const absl::StatusOr<ImageSet> set =
      ReadCifar({folder + "/a", folder + "/b"}, {10});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->count, 3);
  EXPECT_EQ(set->channels, 3);
  EXPECT_EQ(set->height, 32);
  EXPECT_EQ(set->width, 32);
  EXPECT_THAT(set->labels, ElementsAre(3, 9, 0));
  ASSERT_EQ(set->pixels.size(), 3 * 3072);
  for (int i = 0; i < 3; ++i) {
    for (int plane = 0; plane < 3; ++plane) {
      const auto begin = set->pixels.begin() + i * 3072 + plane * 1024;
      EXPECT_THAT(Bytes(begin, begin + 1024),
                  testing::Each(10 * (i + 1) + plane));
    }
  }
}

TEST(CifarTest, KeepsTheFineLabel) {
  const std::string path = TestFolder() + "/train.bin";
  Write(path, CifarRecord({19, 99}, 1));
  const absl::StatusOr<ImageSet> set = ReadCifar({path}, {20, 100});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_THAT(set->labels, ElementsAre(99));
  EXPECT_EQ(set->pixels.front(), 1);
  EXPECT_EQ(set->pixels.back(), 3);
}

TEST(CifarTest, Errors) {
  const std::string path = TestFolder() + "/batch.bin";
  const auto message = [&](const Bytes& bytes) {
    Write(path, bytes);
    const absl::Status status = ReadCifar({path}, {10}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    return std::string(status.message());
  };
  EXPECT_EQ(message({}),
            absl::StrCat(path,
                         ": 0 bytes, expected a multiple of 3073 (one "
                         "image)"));
  Bytes cut = CifarRecord({1}, 1);
  cut.pop_back();
  EXPECT_EQ(message(cut),
            absl::StrCat(path,
                         ": 3072 bytes, expected a multiple of 3073 "
                         "(one image)"));
  EXPECT_EQ(message(CifarRecord({10}, 1)),
            absl::StrCat(path, ": label 10, expected 0 to 9"));
}

TEST(CifarTest, CoarseLabelOutOfRange) {
  const std::string path = TestFolder() + "/train.bin";
  Write(path, CifarRecord({20, 0}, 1));
  EXPECT_EQ(ReadCifar({path}, {20, 100}).status().message(),
            absl::StrCat(path, ": label 20, expected 0 to 19"));
}

TEST(ClassNamesTest, SkipsBlankLines) {
  const std::string path = TestFolder() + "/names";
  const std::string text = "cat\r\nsmall dog\n\n";
  Write(path, Bytes(text.begin(), text.end()));
  const auto names = ReadClassNames(path, 2);
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, ElementsAre("cat", "small dog"));
  EXPECT_EQ(ReadClassNames(path, 3).status().message(),
            absl::StrCat(path, ": 2 class names, expected 3"));
}

}  // namespace
}  // namespace gsg
