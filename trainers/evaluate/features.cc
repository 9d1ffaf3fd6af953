#include "trainers/evaluate/features.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "models/backbone.h"
#include "models/module_state.h"
#include "trainers/base/interrupt.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

at::Tensor Labels(const ImageSource& source,
                  const std::vector<int64_t>& indices) {
  const absl::Span<const int32_t> labels = source.labels();
  if (labels.empty()) return {};
  at::Tensor result =
      at::empty({static_cast<int64_t>(indices.size())}, c10::kLong);
  int64_t* out = result.mutable_data_ptr<int64_t>();
  for (int64_t index : indices) *out++ = labels[index];
  return result;
}

// [B, C, H, W], in the batch's memory.
at::Tensor Pixels(const EvaluationImages& images, EvaluationBatch& batch) {
  const int64_t n = batch.indices.size();
  return at::from_blob(
      batch.pixels.data(),
      {n, images.channels(), images.size().height, images.size().width});
}

// Block by block: rows of `dim` values.
absl::StatusOr<Features> Collect(
    const ImageSource& source, absl::Span<const int64_t> indices, int64_t dim,
    EvaluationImages& images,
    const std::function<at::Tensor(EvaluationBatch&)>& features_of) {
  const size_t block = images.block();
  const at::Tensor rows =
      at::empty({static_cast<int64_t>(indices.size()), dim}, c10::kFloat);
  Features features;
  EvaluationBatch batch;
  // Of the block before. Nobody waits for a GPU to compute it before the next
  // block has been read.
  at::Tensor computed;
  int64_t kept = 0;
  const auto keep = [&] {
    if (!computed.defined()) return;
    rows.narrow(0, kept, computed.size(0)).copy_(computed);
    kept += computed.size(0);
    computed.reset();
  };
  for (size_t begin = 0; begin < indices.size(); begin += block) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    GSG_RETURN_IF_ERROR(images.Read(indices.subspan(begin, block), &batch));
    if (batch.indices.empty()) continue;
    keep();
    computed = features_of(batch);
    // What it is may lie in the batch.
    if (computed.is_cpu()) keep();
    features.indices.insert(features.indices.end(), batch.indices.begin(),
                            batch.indices.end());
  }
  keep();
  if (features.indices.empty()) {
    return absl::DataLossError(absl::StrCat("none of the ", indices.size(),
                                            " images to evaluate on can be "
                                            "read"));
  }
  features.rows = rows.narrow(0, 0, features.indices.size());
  features.labels = Labels(source, features.indices);
  return features;
}

}  // namespace

at::Tensor FeaturesOfBatch(Backbone& backbone, const EvaluationImages& images,
                           EvaluationBatch& batch, c10::Device device) {
  constexpr int64_t kPixelsAtOnce = int64_t{1} << 20;
  const at::NoGradGuard no_grad;
  const at::Tensor x = Pixels(images, batch);
  if (!device.is_cpu()) return backbone.forward(x.to(device)).contiguous();
  const ImageSize size = images.size();
  std::vector<at::Tensor> pieces = x.split(std::max<int64_t>(
      1, kPixelsAtOnce / (int64_t{size.height} * size.width)));
  for (at::Tensor& piece : pieces) piece = backbone.forward(piece);
  return at::cat(pieces);
}

absl::StatusOr<Features> BackboneFeatures(Backbone& backbone,
                                          const ImageSource& source,
                                          absl::Span<const int64_t> indices,
                                          const EvaluationOptions& options,
                                          c10::Device device,
                                          DamagedImages* damaged) {
  EvaluationImages images(&source, options, damaged);
  const ImageSize size = images.size();
  GSG_RETURN_IF_ERROR(backbone.CheckImageSize(size.height, size.width));
  const bool was_training = IsModuleTraining(backbone.module());
  SetModuleTraining(backbone.module(), false);
  absl::StatusOr<Features> features =
      Collect(source, indices, backbone.feature_dim(), images,
              [&](EvaluationBatch& batch) {
                return FeaturesOfBatch(backbone, images, batch, device);
              });
  SetModuleTraining(backbone.module(), was_training);
  return features;
}

absl::StatusOr<Features> FeaturesOfRanks(
    World& world, const ImageSource& source, absl::Span<const int64_t> indices,
    absl::FunctionRef<absl::StatusOr<Features>(absl::Span<const int64_t>)>
        features_of) {
  if (world.size() == 1) return features_of(indices);
  const World::Range part = world.Part(indices.size());
  absl::StatusOr<Features> mine = Features();
  // Fewer images than ranks leave some without any.
  if (part.begin < part.end) {
    mine = features_of(indices.subspan(part.begin, part.end - part.begin));
  }
  // Last, how many are interrupted; before it, the width of the rows, by rank.
  std::vector<double> told(world.size() + 1);
  const bool interrupted = absl::IsCancelled(mine.status());
  if (interrupted) {
    told.back() = 1;
  } else if (mine.ok() && mine->rows.defined()) {
    told[world.rank()] = static_cast<double>(mine->rows.size(1));
  }
  GSG_RETURN_IF_ERROR(
      world.AgreeAndSum(interrupted ? absl::OkStatus() : mine.status(), &told));
  if (told.back() > 0) return absl::CancelledError("interrupted");
  if (!mine->rows.defined()) {
    const double width = *std::max_element(told.begin(), told.end());
    mine->rows = at::empty({0, static_cast<int64_t>(width)}, c10::kFloat);
  }
  GSG_ASSIGN_OR_RETURN(at::Tensor rows, world.GatherAtRoot(mine->rows));
  GSG_ASSIGN_OR_RETURN(
      const at::Tensor numbers,
      world.GatherAtRoot(at::tensor(mine->indices, c10::kLong)));
  Features all;
  if (!world.root()) return all;
  all.rows = std::move(rows);
  const int64_t* begin = numbers.const_data_ptr<int64_t>();
  all.indices.assign(begin, begin + numbers.numel());
  all.labels = Labels(source, all.indices);
  return all;
}

absl::StatusOr<Features> PixelFeatures(const ImageSource& source,
                                       absl::Span<const int64_t> indices,
                                       int64_t crop_size, int threads,
                                       DamagedImages* damaged) {
  constexpr int64_t kSide = 32;
  EvaluationOptions options;
  options.side = EvaluationSide(source, std::min(crop_size, kSide));
  options.threads = threads;
  EvaluationImages images(&source, options, damaged);
  const int64_t dim =
      int64_t{images.channels()} * images.size().height * images.size().width;
  return Collect(source, indices, dim, images, [&](EvaluationBatch& batch) {
    return Pixels(images, batch).flatten(1);
  });
}

}  // namespace gsg
