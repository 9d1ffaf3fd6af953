#include "trainers/image/damaged_images.h"

#include <cstdint>

#include "absl/status/status.h"
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
  const ImageSetSource source = Source(100, "train");
  DamagedImages damaged(0.03);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(damaged.Add(source, i, absl::DataLossError("torn")).ok());
  }
  EXPECT_EQ(damaged.Add(source, 3, absl::DataLossError("torn")),
            absl::DataLossError(
                "4 of 100 images are damaged so far, more than "
                "--max_damaged=0.03 allows (train image 0: torn; train image "
                "1: torn; train image 2: torn; ...). Repair or remove them, or "
                "allow a larger share"));
}

TEST(DamagedImagesTest, EachSourceHasItsOwnShare) {
  const ImageSetSource train = Source(4, "train");
  const ImageSetSource test = Source(4, "test");
  DamagedImages damaged(0.25);
  EXPECT_TRUE(damaged.Add(train, 0, absl::DataLossError("torn")).ok());
  EXPECT_TRUE(damaged.Add(test, 0, absl::DataLossError("torn")).ok());
  EXPECT_FALSE(damaged.Add(test, 1, absl::DataLossError("torn")).ok());
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
                "1 of 10 images are damaged so far, more than the run's "
                "max_damaged=0 allows (test image 4: torn). Repair or remove "
                "them"));
}

}  // namespace
}  // namespace gsg
