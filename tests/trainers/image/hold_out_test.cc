#include "trainers/image/hold_out.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Seven images of one pixel, whose value is their number.
Dataset Seven() {
  ImageSet set;
  set.count = 7;
  set.channels = set.height = set.width = 1;
  set.pixels = {0, 1, 2, 3, 4, 5, 6};
  set.labels = {0, 1, 1, 0, 1, 0, 0};
  Dataset dataset;
  dataset.classes = {"cat", "dog"};
  dataset.train = std::make_unique<ImageSetSource>(std::move(set), "train");
  return dataset;
}

const ImageSet& Images(const std::unique_ptr<const ImageSource>& source) {
  return dynamic_cast<const ImageSetSource&>(*source).images();
}

TEST(HoldOutTest, TakesTheLastOfEachClass) {
  Dataset dataset = Seven();
  ASSERT_TRUE(HoldOut(4, &dataset).ok());
  EXPECT_THAT(Images(dataset.train).pixels, ElementsAre(0, 1, 3));
  EXPECT_THAT(Images(dataset.train).labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(Images(dataset.test).pixels, ElementsAre(2, 4, 5, 6));
  EXPECT_THAT(Images(dataset.test).labels, ElementsAre(1, 1, 0, 0));
  EXPECT_EQ(dataset.test->size(), 4);
  EXPECT_EQ(dataset.test->name(0), "validation image 0");
}

TEST(HoldOutTest, SaysWhatIsWrong) {
  Dataset dataset = Seven();
  const auto error = [&](int64_t count) {
    return std::string(HoldOut(count, &dataset).message());
  };
  EXPECT_EQ(error(3), "--validation=3: must be a multiple of the 2 classes");
  EXPECT_EQ(error(6),
            "--validation=6: class dog has 3 training images, and must have "
            "more than 3");
  EXPECT_EQ(dataset.train->size(), 7);
  dataset.train =
      std::make_unique<ImageSetSource>(ImageSet{1, 1, 1, 1, {0}, {}}, "train");
  EXPECT_THAT(error(2), HasSubstr("val/<class>/"));
}

}  // namespace
}  // namespace gsg
