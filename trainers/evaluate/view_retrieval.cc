#include "trainers/evaluate/view_retrieval.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "pixels/params.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int64_t kPixelSide = 32;

// Makes view `view` of each image, of as many bits as that.
class ViewReader final : public ImageReader {
 public:
  ViewReader(std::unique_ptr<ImageReader> images, const AugmentOptions& options,
             uint64_t seed, int view)
      : images_(std::move(images)),
        options_(options),
        seed_(seed),
        view_(view),
        augmenter_(options) {}

  absl::StatusOr<ImageSize> Open(int64_t index) override {
    GSG_ASSIGN_OR_RETURN(const ImageSize size, images_->Open(index));
    params_ = SampleParams(options_, seed_, /*epoch=*/0, index, view_,
                           size.height, size.width);
    const int side = static_cast<int>(options_.size);
    return ImageSize{side, side};
  }

  absl::StatusOr<Image> Decode(int /*reduction*/) override {
    GSG_ASSIGN_OR_RETURN(const Image image, images_->Decode(1));
    const size_t plane = options_.size * options_.size;
    floats_.resize(image.channels * plane);
    augmenter_.Apply(image, params_, floats_.data());
    Image view;
    if (image.chw16 != nullptr) {
      view.chw16 = Rounded(&wide_);
    } else {
      view.chw = Rounded(&bytes_);
    }
    view.channels = image.channels;
    view.height = static_cast<int>(options_.size);
    view.width = static_cast<int>(options_.size);
    return view;
  }

 private:
  // floats_ as whole numbers, of which T's largest is 1.
  template <class T>
  const T* Rounded(std::vector<T>* values) const {
    constexpr float kMost = std::numeric_limits<T>::max();
    values->clear();
    for (const float x : floats_) {
      values->push_back(static_cast<T>(std::lround(x * kMost)));
    }
    return values->data();
  }

  const std::unique_ptr<ImageReader> images_;
  const AugmentOptions options_;
  const uint64_t seed_;
  const int view_;
  Augmenter augmenter_;
  AugmentParams params_;
  std::vector<float> floats_;
  std::vector<uint8_t> bytes_;
  std::vector<uint16_t> wide_;
};

class ViewOfImages final : public ImageSource {
 public:
  ViewOfImages(const ImageSource* images, const AugmentOptions& options,
               uint64_t seed, int view)
      : images_(*images), options_(options), seed_(seed), view_(view) {}

  int64_t size() const override { return images_.size(); }
  int channels() const override { return images_.channels(); }
  ImageSize fixed_size() const override {
    const int side = static_cast<int>(options_.size);
    return {side, side};
  }
  absl::Span<const int32_t> labels() const override { return {}; }
  std::string name(int64_t index) const override { return images_.name(index); }
  const ImageSource& original() const override { return images_.original(); }
  std::unique_ptr<ImageReader> MakeReader() const override {
    return std::make_unique<ViewReader>(images_.MakeReader(), options_, seed_,
                                        view_);
  }

 private:
  const ImageSource& images_;
  const AugmentOptions options_;
  const uint64_t seed_;
  const int view_;
};

using FeaturesOf = absl::FunctionRef<absl::StatusOr<Features>(
    const ImageSource& views, absl::Span<const int64_t> indices)>;

absl::StatusOr<double> Retrieval(const ImageSource& source,
                                 absl::Span<const int64_t> indices,
                                 const AugmentOptions& augment, uint64_t seed,
                                 FeaturesOf features_of) {
  // Normalization is the evaluation's.
  AugmentOptions in_bytes = augment;
  in_bytes.mean.clear();
  in_bytes.std.clear();
  std::vector<int64_t> readable(indices.begin(), indices.end());
  at::Tensor rows[2];
  for (int view = 0; view < 2; ++view) {
    const ViewOfImages views(&source, in_bytes, seed, view);
    GSG_ASSIGN_OR_RETURN(Features features, features_of(views, readable));
    readable = std::move(features.indices);
    rows[view] = features.rows.div(
        at::linalg_vector_norm(features.rows, 2, 1, /*keepdim=*/true)
            .clamp_min(1e-12));
  }
  if (rows[0].size(0) != rows[1].size(0)) {
    return absl::DataLossError("images became unreadable while they were read");
  }
  const at::Tensor nearest = rows[0].mm(rows[1].t()).argmax(1);
  const at::Tensor own = at::arange(nearest.size(0), nearest.options());
  return 100 * nearest.eq(own).to(at::kDouble).mean().item<double>();
}

}  // namespace

absl::StatusOr<double> ViewRetrieval(
    Backbone& backbone, const ImageSource& source,
    absl::Span<const int64_t> indices, const AugmentOptions& augment,
    uint64_t seed, const EvaluationOptions& options, c10::Device device,
    DamagedImages* damaged) {
  EvaluationOptions as_is = options;
  as_is.side = 0;
  return Retrieval(source, indices, augment, seed,
                   [&](const ImageSource& views, absl::Span<const int64_t> of) {
                     return BackboneFeatures(backbone, views, of, as_is, device,
                                             damaged);
                   });
}

absl::StatusOr<double> PixelViewRetrieval(const ImageSource& source,
                                          absl::Span<const int64_t> indices,
                                          const AugmentOptions& augment,
                                          uint64_t seed, int threads,
                                          DamagedImages* damaged) {
  AugmentOptions small = augment;
  small.size = std::min<decltype(small.size)>(small.size, kPixelSide);
  return Retrieval(source, indices, small, seed,
                   [&](const ImageSource& views, absl::Span<const int64_t> of) {
                     return PixelFeatures(views, of, kPixelSide, threads,
                                          damaged);
                   });
}

}  // namespace gsg
