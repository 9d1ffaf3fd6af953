#include "trainers/evaluate/evaluation_images.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/augment/resample.h"
#include "trainers/base/memory.h"
#include "trainers/base/side_by_side.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

constexpr int64_t kBlockBytes = int64_t{64} << 20;
constexpr int64_t kBlockImages = 500;

// Python's round: halves to even, under the default rounding mode.
int Round(double x) { return static_cast<int>(std::nearbyint(x)); }

// One axis of Resize and CenterCrop: an image's `full` pixels become
// `resized`, of which the central `side` are kept.
Window CentralWindow(int full, int resized, int side, int reduction,
                     double offset, int available) {
  const double scale = static_cast<double>(full) / resized / reduction;
  return {offset + Round((resized - side) / 2.) * scale, side * scale, 0,
          available};
}

}  // namespace

int64_t EvaluationSide(const ImageSource& source, int64_t crop_size) {
  return source.fixed_size().height > 0 ? 0 : crop_size;
}

std::vector<int64_t> EvenlySpaced(int64_t size, int64_t count) {
  if (count == 0 || count > size) count = size;
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i) indices[i] = i * size / count;
  return indices;
}

EvaluationImages::EvaluationImages(const ImageSource* source,
                                   const EvaluationOptions& options,
                                   DamagedImages* damaged)
    : source_(*source), options_(options), damaged_(*damaged) {
  const int side = static_cast<int>(options.side);
  size_ = side > 0 ? ImageSize{side, side} : source->fixed_size();
  const int64_t bytes = int64_t{4} * channels() * size_.height * size_.width;
  block_ = std::clamp<int64_t>(kBlockBytes / bytes, 1, kBlockImages);
  for (int i = 0; i < std::max(options.threads, 1); ++i) {
    readers_.push_back(source->MakeReader());
  }
}

absl::Status EvaluationImages::Render(ImageSize full, ImageReader* reader,
                                      float* out) const {
  const int64_t n = int64_t{size_.height} * size_.width;
  if (options_.side == 0) {
    GSG_ASSIGN_OR_RETURN(const Image image, reader->Decode(1));
    for (int64_t i = 0; i < channels() * n; ++i) {
      out[i] = image.chw16 != nullptr
                   ? static_cast<float>(image.chw16[i]) / 65535
                   : static_cast<float>(image.chw[i]) / 255;
    }
    return absl::OkStatus();
  }
  const int side = static_cast<int>(options_.side);
  const int resized = Round(side * 8 / 7.);
  const int shorter = std::min(full.height, full.width);
  const auto resize = [&](int length) {
    return static_cast<int>(int64_t{length} * resized / shorter);
  };
  // Reduced images are not quite what resizing makes of full ones, so it keeps
  // at least the last halving.
  int reduction = 1;
  while (reduction < 8 && shorter >= 4 * reduction * resized) reduction *= 2;
  GSG_ASSIGN_OR_RETURN(const Image image, reader->Decode(reduction));
  Resampler resampler(side);
  resampler.SetShape(CentralWindow(full.height, resize(full.height), side,
                                   image.reduction, image.top, image.height),
                     CentralWindow(full.width, resize(full.width), side,
                                   image.reduction, image.left, image.width),
                     /*flip=*/false);
  for (int c = 0; c < image.channels; ++c) {
    resampler.Apply(image, c, out + c * n);
  }
  if (options_.brighten && image.chw16 != nullptr) {
    const float largest = *std::max_element(out, out + channels() * n);
    for (int64_t i = 0; i < channels() * n && largest > 0; ++i) {
      out[i] /= largest;
    }
  }
  return absl::OkStatus();
}

absl::Status EvaluationImages::ReadOne(int64_t index, ImageReader* reader,
                                       float* out) const {
  GSG_ASSIGN_OR_RETURN(const ImageSize full, reader->Open(index));
  GSG_RETURN_IF_ERROR(Render(full, reader, out));
  const int64_t n = int64_t{size_.height} * size_.width;
  for (size_t c = 0; c < options_.stats.mean.size(); ++c) {
    const float mean = static_cast<float>(options_.stats.mean[c]);
    const float std = static_cast<float>(options_.stats.std[c]);
    float* plane = out + c * n;
    for (int64_t i = 0; i < n; ++i) plane[i] = (plane[i] - mean) / std;
  }
  return absl::OkStatus();
}

absl::Status EvaluationImages::Read(absl::Span<const int64_t> indices,
                                    EvaluationBatch* batch) {
  const size_t floats =
      static_cast<size_t>(channels()) * size_.height * size_.width;
  batch->pixels.resize(indices.size() * floats);
  std::vector<absl::Status> status(indices.size());
  const auto read = [&](size_t thread) {
    for (size_t i = thread; i < indices.size(); i += readers_.size()) {
      status[i] = OrMemoryError([&] {
        return ReadOne(indices[i], readers_[thread].get(),
                       batch->pixels.data() + i * floats);
      });
      if (MemoryRanOut(status[i])) {
        // Nothing is wrong with the image, but it may be a large one.
        return MemoryError(
            absl::StrCat("while ", source_.name(indices[i]), " was read"));
      }
    }
    return absl::OkStatus();
  };
  GSG_RETURN_IF_ERROR(SideBySide(readers_.size(), read));

  batch->indices.clear();
  for (size_t i = 0; i < indices.size(); ++i) {
    if (!status[i].ok()) {
      GSG_RETURN_IF_ERROR(damaged_.Add(source_, indices[i], status[i]));
      continue;
    }
    const size_t row = batch->indices.size();
    if (row != i) {
      std::copy_n(batch->pixels.data() + i * floats, floats,
                  batch->pixels.data() + row * floats);
    }
    batch->indices.push_back(indices[i]);
  }
  batch->pixels.resize(batch->indices.size() * floats);
  return absl::OkStatus();
}

}  // namespace gsg
