#include "trainers/evaluate/evaluation_images.h"

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/augment/formula_image.h"
#include "tests/trainers/augment/golden/goldens.h"
#include "tests/trainers/evaluate/small_images.h"
#include "trainers/base/memory.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

// Both sides compute in float32; torchvision the filter's centers, too: off by
// up to 47 pixels * 6e-8, which moves a pixel in [0, 1] by as much.
constexpr float kTolerance = 4e-6f;

// `count` images of one size; image i is a constant i.
ImageSetSource Constants(int count, int side) {
  ImageSet images;
  images.count = count;
  images.channels = 1;
  images.height = images.width = side;
  for (int i = 0; i < count; ++i) {
    images.pixels.insert(images.pixels.end(), side * side,
                         static_cast<uint8_t>(i));
  }
  return ImageSetSource(images, "test");
}

SmallImages EveryThirdDamaged() {
  return SmallImages(30, [](int64_t index) {
    return index % 3 == 2 ? absl::DataLossError("torn") : absl::OkStatus();
  });
}

// Image 7 is so large that memory runs out.
SmallImages SeventhTooLarge() {
  return SmallImages(10, [](int64_t index) {
    if (index == 7) throw std::bad_alloc();
    return absl::OkStatus();
  });
}

std::vector<float> Central(int height, int width) {
  const ImageSetSource source(
      ImageSet{1, 1, height, width, FormulaImage(1, height, width), {}},
      "test");
  DamagedImages damaged(0);
  EvaluationOptions options;
  options.side = 7;
  EvaluationImages images(&source, options, &damaged);
  EvaluationBatch batch;
  EXPECT_TRUE(images.Read({0}, &batch).ok());
  return batch.pixels;
}

TEST(EvaluationImagesTest, IsTorchvisionsResizeAndCenterCrop) {
  EXPECT_THAT(Central(47, 30), Pointwise(FloatNear(kTolerance), kCentralTall));
  EXPECT_THAT(Central(9, 20), Pointwise(FloatNear(kTolerance), kCentralWide));
}

// By hand: 51 = 0.2 * 255 and 255, of mean 0.2 and standard deviation 0.4.
TEST(EvaluationImagesTest, OwnSizeNormalized) {
  const ImageSetSource source(ImageSet{2, 1, 1, 2, {0, 0, 51, 255}, {}},
                              "test");
  DamagedImages damaged(0);
  EvaluationOptions options;
  options.stats = {{0.2}, {0.4}};
  EvaluationImages images(&source, options, &damaged);
  EXPECT_EQ(images.size().height, 1);
  EXPECT_EQ(images.size().width, 2);
  EvaluationBatch batch;
  ASSERT_TRUE(images.Read({1}, &batch).ok());
  EXPECT_THAT(batch.pixels, ElementsAre(FloatNear(0, 1e-7f), 2.f));
}

TEST(EvaluationImagesTest, KeepsTheOrderForAnyNumberOfThreads) {
  const ImageSetSource source = Constants(40, 2);
  for (int threads : {1, 2, 7}) {
    DamagedImages damaged(0);
    EvaluationOptions options;
    options.threads = threads;
    EvaluationImages images(&source, options, &damaged);
    EvaluationBatch batch;
    const std::vector<int64_t> wanted = EvenlySpaced(40, 13);
    ASSERT_TRUE(images.Read(wanted, &batch).ok());
    EXPECT_EQ(batch.indices, wanted);
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(batch.pixels[4 * i + 3], wanted[i] / 255.f);
    }
  }
}

TEST(EvaluationImagesTest, LeavesDamagedImagesOut) {
  const SmallImages source = EveryThirdDamaged();
  for (int threads : {1, 3}) {
    DamagedImages damaged(0.1);
    EvaluationOptions options;
    options.side = 4;
    options.threads = threads;
    EvaluationImages images(&source, options, &damaged);
    EvaluationBatch batch;
    ASSERT_TRUE(images.Read({1, 2, 3, 5, 6}, &batch).ok());
    EXPECT_THAT(batch.indices, ElementsAre(1, 3, 6));
    ASSERT_EQ(batch.pixels.size(), 3 * 16);
    EXPECT_FLOAT_EQ(batch.pixels[0], 1 / 255.f);
    EXPECT_FLOAT_EQ(batch.pixels[16], 3 / 255.f);
    EXPECT_FLOAT_EQ(batch.pixels[47], 6 / 255.f);
    EXPECT_EQ(damaged.list().size(), 2);
    DamagedImages none(0);
    EvaluationImages strict(&source, options, &none);
    EXPECT_EQ(strict.Read({7, 8}, &batch).code(), absl::StatusCode::kDataLoss);
  }
}

TEST(EvaluationImagesTest, BlockIsBoundedByBytesAndByImages) {
  DamagedImages damaged(0);
  const ImageSetSource small = Constants(1, 2);
  EXPECT_EQ(EvaluationImages(&small, {}, &damaged).block(), 500);
  EvaluationOptions options;
  options.side = 1024;  // 4 MiB an image
  EXPECT_EQ(EvaluationImages(&small, options, &damaged).block(), 16);
  options.side = 8192;
  EXPECT_EQ(EvaluationImages(&small, options, &damaged).block(), 1);
}

TEST(EvaluationImagesTest, SideIsTheImagesOwnIfTheyHaveOne) {
  EXPECT_EQ(EvaluationSide(Constants(1, 28), 20), 0);
  EXPECT_EQ(EvaluationSide(EveryThirdDamaged(), 20), 20);
}

TEST(EvenlySpacedTest, ByHand) {
  EXPECT_THAT(EvenlySpaced(10, 4), ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(EvenlySpaced(3, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(EvenlySpaced(3, 9), ElementsAre(0, 1, 2));
}

// On whichever thread; it is not a damaged image.
TEST(EvaluationImagesTest, MemoryThatRunsOutIsAnErrorThatNamesTheImage) {
  const SmallImages source = SeventhTooLarge();
  for (const int threads : {1, 3}) {
    DamagedImages damaged(1);
    EvaluationOptions options;
    options.side = 8;
    options.threads = threads;
    EvaluationImages images(&source, options, &damaged);
    EvaluationBatch batch;
    const absl::Status status =
        images.Read({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, &batch);
    EXPECT_TRUE(MemoryRanOut(status)) << status;
    EXPECT_EQ(status.message(), "memory ran out while 7.png was read");
    EXPECT_TRUE(damaged.list().empty());
  }
}

}  // namespace
}  // namespace gsg
