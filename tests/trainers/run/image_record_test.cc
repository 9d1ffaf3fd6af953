#include "trainers/run/image_record.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Names and labels without pixels.
class NamedSource final : public ImageSource {
 public:
  NamedSource(std::vector<std::string> names, std::vector<int32_t> labels)
      : names_(std::move(names)), labels_(std::move(labels)) {}

  int64_t size() const override { return names_.size(); }
  int channels() const override { return 3; }
  ImageSize fixed_size() const override { return {}; }
  absl::Span<const int32_t> labels() const override { return labels_; }
  std::string name(int64_t index) const override { return names_[index]; }
  std::unique_ptr<ImageReader> MakeReader() const override { return nullptr; }

 private:
  const std::vector<std::string> names_;
  const std::vector<int32_t> labels_;
};

Dataset Images(std::vector<std::string> names, std::vector<int32_t> labels = {},
               std::vector<std::string> classes = {},
               std::vector<std::string> test = {}) {
  Dataset dataset;
  dataset.train =
      std::make_unique<NamedSource>(std::move(names), std::move(labels));
  if (!test.empty()) {
    const std::vector<int32_t> none(test.size());
    dataset.test = std::make_unique<NamedSource>(std::move(test), none);
  }
  dataset.classes = std::move(classes);
  return dataset;
}

std::string Warning(const Dataset& before, const Dataset& now) {
  return OtherImagesWarning(RecordOf(before), RecordOf(now));
}

TEST(ImageRecordTest, TheSameImagesAreNotWarnedOf) {
  EXPECT_EQ(Warning(Images({"a", "b"}), Images({"a", "b"})), "");
  EXPECT_EQ(Warning(Images({"a", "b"}, {0, 1}, {"cat", "dog"}, {"c"}),
                    Images({"a", "b"}, {0, 1}, {"cat", "dog"}, {"c"})),
            "");
}

TEST(ImageRecordTest, OlderCheckpointsSayNothing) {
  EXPECT_EQ(OtherImagesWarning(ImageRecord(), RecordOf(Images({"a"}))), "");
}

TEST(ImageRecordTest, OtherNumbersAreNamed) {
  EXPECT_THAT(
      Warning(Images({"a", "b", "c"}, {0, 1, 2}, {"x", "y", "z"}, {"t"}),
              Images({"a", "b"}, {0, 1}, {"x", "y"}, {"t"})),
      AllOf(HasSubstr("had 3 training and 1 test images of 3 classes"),
            HasSubstr("now has 2 training and 1 test images of 2 "),
            HasSubstr("left out")));
  EXPECT_THAT(Warning(Images({"a"}), Images({"a", "b"})),
              AllOf(HasSubstr("now has 2 training and 0 test images:"),
                    Not(HasSubstr("classes"))));
}

TEST(ImageRecordTest, AsManyOthersAre) {
  const Dataset one = Images({"a", "bc"}, {0, 1}, {"x", "y"}, {"t"});
  for (const Dataset& other :
       {Images({"a", "bd"}, {0, 1}, {"x", "y"}, {"t"}),
        Images({"ab", "c"}, {0, 1}, {"x", "y"}, {"t"}),
        Images({"a", "bc"}, {1, 1}, {"x", "y"}, {"t"}),
        Images({"a", "bc"}, {0, 1}, {"x", "z"}, {"t"}),
        Images({"a", "bc"}, {0, 1}, {"x", "y"}, {"s"})}) {
    EXPECT_THAT(Warning(one, other), HasSubstr("other names or labels"));
  }
}

}  // namespace
}  // namespace gsg
