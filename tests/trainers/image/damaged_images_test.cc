#include "trainers/image/damaged_images.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"

namespace gsg {
namespace {

ImageSetSource Source(int64_t size, const char* name) {
  ImageSet images;
  images.count = size;
  return ImageSetSource(images, name);
}

TEST(DamagedImagesTest, NotesEachOnceInOrder) {
  const ImageSetSource source = Source(10, "train");
  DamagedImages damaged(0.5);
  EXPECT_TRUE(damaged.Add(source, 7, absl::DataLossError("torn")).ok());
  EXPECT_TRUE(damaged.Add(source, 2, absl::NotFoundError("gone")).ok());
  EXPECT_TRUE(damaged.Add(source, 7, absl::DataLossError("again")).ok());
  ASSERT_EQ(damaged.list().size(), 2);
  EXPECT_EQ(damaged.list()[0].name, "train image 7");
  EXPECT_EQ(damaged.list()[0].reason, "torn");
  EXPECT_EQ(damaged.list()[1].name, "train image 2");
}

TEST(DamagedImagesTest, TooManyNamesTheFirst) {
  const ImageSetSource source = Source(400, "train");
  DamagedImages damaged(0.03);
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(damaged.Add(source, i, absl::DataLossError("torn")).ok());
  }
  EXPECT_EQ(damaged.Add(source, 12, absl::DataLossError("torn")),
            absl::DataLossError(
                "13 of 400 images are damaged so far; --max_damaged=0.03 "
                "allows 12 (train image 0: torn; train image 1: torn; train "
                "image 2: torn; ...). Repair or remove them, or pass "
                "--max_damaged=0.1 to go on without them"));
}

TEST(DamagedImagesTest, AFewOfASmallSetAreAllowed) {
  EXPECT_EQ(DamagedImages::Allowed(0.01, 5000), 50);
  EXPECT_EQ(DamagedImages::Allowed(0.01, 1000), 10);
  EXPECT_EQ(DamagedImages::Allowed(0.01, 68), 10);
  EXPECT_EQ(DamagedImages::Allowed(0.01, 20), 10);
  EXPECT_EQ(DamagedImages::Allowed(0.01, 7), 3);
  EXPECT_EQ(DamagedImages::Allowed(0.01, 1), 0);
  EXPECT_EQ(DamagedImages::Allowed(0.8, 10), 8);
  for (const int64_t size : {1, 68, 5000}) {
    EXPECT_EQ(DamagedImages::Allowed(0, size), 0);
    EXPECT_EQ(DamagedImages::Allowed(1, size), size - 1);
  }
  // Half of ten, and what is beyond.
  const ImageSetSource source = Source(10, "train");
  DamagedImages damaged(0.01);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(damaged.Add(source, i, absl::DataLossError("torn")).ok());
  }
  EXPECT_THAT(
      std::string(
          damaged.Add(source, 5, absl::DataLossError("torn")).message()),
      ::testing::AllOf(
          ::testing::StartsWith("6 of 10 images are damaged so far; "
                                "--max_damaged=0.01 allows 5 ("),
          ::testing::EndsWith("or pass --max_damaged=1 to go on without "
                              "them")));
}

TEST(DamagedImagesTest, EachSourceHasItsOwnShare) {
  const ImageSetSource train = Source(4, "train");
  const ImageSetSource test = Source(4, "test");
  DamagedImages damaged(0.5);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(damaged.Add(train, i, absl::DataLossError("torn")).ok());
    EXPECT_TRUE(damaged.Add(test, i, absl::DataLossError("torn")).ok());
  }
  EXPECT_FALSE(damaged.Add(test, 2, absl::DataLossError("torn")).ok());
}

TEST(DamagedImagesTest, AllAreTooManyWhateverTheShare) {
  const ImageSetSource source = Source(2, "train");
  DamagedImages damaged(1);
  EXPECT_TRUE(damaged.Add(source, 0, absl::DataLossError("torn")).ok());
  EXPECT_FALSE(damaged.Add(source, 1, absl::DataLossError("torn")).ok());
}

// A program without the flag does not advise it.
TEST(DamagedImagesTest, LimitOfTheRun) {
  const ImageSetSource source = Source(10, "test");
  DamagedImages damaged(0, DamagedImages::Limit::kOfTheRun);
  EXPECT_EQ(damaged.Add(source, 4, absl::DataLossError("torn")),
            absl::DataLossError(
                "1 of 10 images are damaged so far; the run's max_damaged=0 "
                "allows none (test image 4: torn). Repair or remove them"));
}

}  // namespace
}  // namespace gsg
