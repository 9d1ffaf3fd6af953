#include "trainers/evaluate/view_retrieval.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "models/backbone.h"
#include "models/backbone_options.h"
#include "models/make_backbone.h"
#include "trainers/augment/options.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int kImages = 12;

// Features are the pixels, or, blind, all the same.
class Pixels final : public Backbone {
 public:
  explicit Pixels(bool blind) : blind_(blind) {}
  at::Tensor forward(const at::Tensor& x) override {
    const at::Tensor rows = x.reshape({x.size(0), -1});
    return blind_ ? at::zeros_like(rows) + 1 : rows;
  }
  int64_t feature_dim() const override { return 64; }
  absl::Status CheckImageSize(int64_t, int64_t) const override {
    return absl::OkStatus();
  }
  torch::nn::Module& module() override { return has_a_mode_->module(); }

 private:
  const bool blind_;
  const std::shared_ptr<Backbone> has_a_mode_ =
      MakeBackbone(
          ResNetOptionsFor("resnet_small", ResNetOptions::Stem::kSmall).value())
          .value();
};

// Image i is bright in pixel i and dark elsewhere.
ImageSet Images() {
  ImageSet set;
  set.count = kImages;
  set.channels = 1;
  set.height = set.width = 8;
  set.pixels.assign(kImages * 64, 0);
  for (int i = 0; i < kImages; ++i) set.pixels[i * 64 + 5 * i] = 255;
  return set;
}

// Images() but for the last one, which cannot be read.
class LastIsTorn final : public ImageSource {
 public:
  int64_t size() const override { return kImages; }
  int channels() const override { return 1; }
  ImageSize fixed_size() const override { return {8, 8}; }
  absl::Span<const int32_t> labels() const override { return {}; }
  std::string name(int64_t index) const override { return whole_.name(index); }
  std::unique_ptr<ImageReader> MakeReader() const override {
    return std::make_unique<Reader>(whole_.MakeReader());
  }

 private:
  class Reader final : public ImageReader {
   public:
    explicit Reader(std::unique_ptr<ImageReader> whole)
        : whole_(std::move(whole)) {}
    absl::StatusOr<ImageSize> Open(int64_t index) override {
      if (index == kImages - 1) return absl::DataLossError("torn");
      return whole_->Open(index);
    }
    absl::StatusOr<Image> Decode(int reduction) override {
      return whole_->Decode(reduction);
    }

   private:
    const std::unique_ptr<ImageReader> whole_;
  };

  const ImageSetSource whole_{Images(), "train"};
};

double Score(bool blind, const AugmentOptions& augment) {
  const ImageSetSource source(Images(), "train");
  Pixels backbone(blind);
  std::vector<int64_t> all(kImages);
  std::iota(all.begin(), all.end(), 0);
  DamagedImages damaged(0);
  absl::StatusOr<double> score =
      ViewRetrieval(backbone, source, all, augment, /*seed=*/1,
                    EvaluationOptions(), c10::Device(c10::kCPU), &damaged);
  EXPECT_TRUE(score.ok()) << score.status();
  return score.ok() ? *score : -1;
}

TEST(ViewRetrievalTest, ViewsThatAreTheImageFindEachOther) {
  AugmentOptions whole;
  whole.size = 8;
  whole.crop_scale_min = whole.crop_scale_max = 1;
  whole.crop_ratio_min = whole.crop_ratio_max = 1;
  EXPECT_EQ(Score(/*blind=*/false, whole), 100);
}

// Pixels of these images tell all of them apart, and of those that are all the
// same, none.
TEST(ViewRetrievalTest, OfRawPixels) {
  AugmentOptions whole;
  whole.size = 8;
  whole.crop_scale_min = whole.crop_scale_max = 1;
  whole.crop_ratio_min = whole.crop_ratio_max = 1;
  std::vector<int64_t> all(kImages);
  std::iota(all.begin(), all.end(), 0);
  ImageSet same = Images();
  same.pixels.assign(same.pixels.size(), 100);
  for (const bool alike : {false, true}) {
    const ImageSetSource source(alike ? same : Images(), "train");
    DamagedImages damaged(0);
    const absl::StatusOr<double> score = PixelViewRetrieval(
        source, all, whole, /*seed=*/1, /*threads=*/1, &damaged);
    ASSERT_TRUE(score.ok()) << score.status();
    EXPECT_NEAR(*score, alike ? 100. / kImages : 100, 1e-9);
  }
}

TEST(ViewRetrievalTest, OneFeatureForAllIsChance) {
  AugmentOptions crops;
  crops.size = 8;
  EXPECT_NEAR(Score(/*blind=*/true, crops), 100. / kImages, 1e-9);
}

// As a run without labels measures them, beside its own reading.
TEST(ViewRetrievalTest, ADamagedImageCountsOnceWhateverReadsIt) {
  const LastIsTorn source;
  Pixels backbone(/*blind=*/false);
  AugmentOptions crops;
  crops.size = 8;
  std::vector<int64_t> all(kImages);
  std::iota(all.begin(), all.end(), 0);
  DamagedImages damaged(0.1);  // one of twelve
  ASSERT_TRUE(
      damaged.Add(source, kImages - 1, absl::DataLossError("torn")).ok());
  for (int time = 0; time < 2; ++time) {
    const absl::Status status =
        ViewRetrieval(backbone, source, all, crops, /*seed=*/1,
                      EvaluationOptions(), c10::Device(c10::kCPU), &damaged)
            .status();
    EXPECT_TRUE(status.ok()) << status;
  }
  const absl::Status status = PixelViewRetrieval(source, all, crops, /*seed=*/1,
                                                 /*threads=*/1, &damaged)
                                  .status();
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(damaged.list().size(), 1);
  EXPECT_EQ(damaged.list()[0].source, &source);
}

}  // namespace
}  // namespace gsg
