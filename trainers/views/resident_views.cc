#include "trainers/views/resident_views.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cuda/augment.h"
#include "gsg_core/status_macros.h"
#include "models/gpu/current_stream.h"
#include "models/gpu/gpu.h"
#include "pixels/params.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/image/image_set.h"
#include "trainers/views/loader.h"
#include "trainers/views/view_batch.h"

namespace gsg {
namespace {

constexpr int64_t kParamsBytes = sizeof(AugmentParams);

at::Tensor Upload(const ImageSet& images, c10::Device device) {
  return at::from_blob(
             const_cast<uint8_t*>(images.pixels.data()),
             {images.count, images.channels, images.height, images.width},
             at::TensorOptions(c10::kByte))
      .to(device, c10::kByte, /*non_blocking=*/false, /*copy=*/true);
}

absl::Status LaunchAugment(const at::Tensor& images, const at::Tensor& index,
                           const at::Tensor& params,
                           const AugmentOptions& options, at::Tensor& out) {
  cuda::ImageArray array;
  array.data = images.const_data_ptr<uint8_t>();
  array.count = images.size(0);
  array.channels = static_cast<int>(images.size(1));
  array.height = static_cast<int>(images.size(2));
  array.width = static_cast<int>(images.size(3));

  cuda::AugmentSettings settings;
  settings.size = static_cast<int>(options.size);
  settings.blur_kernel = static_cast<int>(BlurKernel(options));
  settings.order = cuda::PixelOrder::kChannelsLast;
  settings.normalize = !options.mean.empty();
  std::copy(options.mean.begin(), options.mean.end(), settings.mean.begin());
  std::copy(options.std.begin(), options.std.end(), settings.std.begin());

  const int64_t views = index.size(0);
  const auto bytes = images.options().dtype(c10::kByte);
  const size_t workspace_bytes =
      Gpu()->augment.workspace_bytes(array, settings, views);
  at::Tensor workspace;
  if (workspace_bytes > 0) {
    workspace = at::empty({static_cast<int64_t>(workspace_bytes)}, bytes);
  }
  // Never set: indices are those of an epoch's order, crops SampleParams'.
  const at::Tensor faults = at::zeros({1}, bytes.dtype(c10::kInt));
  return Gpu()->augment.augment(
      array, settings, index.const_data_ptr<int64_t>(),
      reinterpret_cast<const AugmentParams*>(params.const_data_ptr<uint8_t>()),
      views, out.mutable_data_ptr<float>(),
      workspace.defined() ? workspace.mutable_data_ptr() : nullptr,
      reinterpret_cast<uint32_t*>(faults.mutable_data_ptr<int>()),
      CurrentStream(images.device()));
}

}  // namespace

AugmentBatch AugmentOnGpu() {
  return Gpu() == nullptr ? nullptr : &LaunchAugment;
}

absl::Status AugmentOnCpu(const at::Tensor& images, const at::Tensor& index,
                          const at::Tensor& params,
                          const AugmentOptions& options, at::Tensor& out) {
  Augmenter augmenter(options);
  const at::Tensor planes = at::empty(out.sizes(), c10::kFloat);
  const int64_t image_bytes = images.stride(0);
  for (int64_t v = 0; v < out.size(0); ++v) {
    AugmentParams of_view;
    std::memcpy(&of_view, params.const_data_ptr<uint8_t>() + v * kParamsBytes,
                kParamsBytes);
    augmenter.Apply(images.const_data_ptr<uint8_t>() +
                        index.const_data_ptr<int64_t>()[v] * image_bytes,
                    static_cast<int>(images.size(1)),
                    static_cast<int>(images.size(2)),
                    static_cast<int>(images.size(3)), of_view,
                    planes.mutable_data_ptr<float>() + v * planes.stride(0));
  }
  out.copy_(planes);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ResidentViews>> ResidentViews::Create(
    const ImageSet& images, const AugmentOptions& augment,
    const LoaderOptions& options, c10::Device device,
    AugmentBatch augment_batch) {
  GSG_RETURN_IF_ERROR(Validate(images.count, static_cast<int>(images.channels),
                               augment, options));
  return absl::WrapUnique(
      new ResidentViews(images, augment, options, device, augment_batch));
}

ResidentViews::ResidentViews(const ImageSet& images,
                             const AugmentOptions& augment,
                             const LoaderOptions& options, c10::Device device,
                             AugmentBatch augment_batch)
    : images_(Upload(images, device)),
      augment_(augment),
      options_(options),
      device_(device),
      augment_batch_(augment_batch),
      batches_per_epoch_(images.count / options.batch_size),
      epoch_status_(absl::FailedPreconditionError(
          "views: Next before the first StartEpoch")) {}

void ResidentViews::StartEpoch(int64_t epoch, int64_t first_batch) {
  epoch_status_ = CheckStart(epoch, first_batch, batches_per_epoch_);
  if (!epoch_status_.ok()) return;
  epoch_ = epoch;
  batch_ = first_batch;
  order_ = EpochOrder(images_.size(0), options_.seed, epoch);
}

absl::StatusOr<bool> ResidentViews::Next(StepViews* views) {
  if (!epoch_status_.ok()) return epoch_status_;
  if (batch_ == batches_per_epoch_) return false;
  const int64_t images = options_.batch_size / options_.parts;
  const auto begin =
      order_.begin() + batch_ * options_.batch_size + options_.part * images;
  const std::vector<int64_t> indices(begin, begin + images);
  GSG_ASSIGN_OR_RETURN(views->global,
                       Make(indices, augment_, 0, options_.views));
  GSG_ASSIGN_OR_RETURN(views->local,
                       Make(indices, options_.local_augment, options_.views,
                            options_.local_views));
  ++batch_;
  return true;
}

absl::StatusOr<ViewBatch> ResidentViews::Make(
    const std::vector<int64_t>& indices, const AugmentOptions& augment,
    int first, int count) const {
  if (count == 0) return ViewBatch();
  const int64_t images = indices.size();
  const int64_t rows = count * images;
  // Pinned memory is given back once the copy out of it is done.
  const auto on_host = at::TensorOptions().pinned_memory(!device_.is_cpu());
  const at::Tensor index = at::empty({rows}, on_host.dtype(c10::kLong));
  const at::Tensor params =
      at::empty({rows, kParamsBytes}, on_host.dtype(c10::kByte));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t image = indices[row % images];
    const AugmentParams of_view = SampleParams(
        augment, options_.seed, epoch_, image, first + row / images,
        static_cast<int>(images_.size(2)), static_cast<int>(images_.size(3)));
    index.mutable_data_ptr<int64_t>()[row] = image;
    std::memcpy(params.mutable_data_ptr<uint8_t>() + row * kParamsBytes,
                &of_view, kParamsBytes);
  }
  at::Tensor out = at::empty(
      {rows, images_.size(1), augment.size, augment.size},
      at::TensorOptions(device_).memory_format(at::MemoryFormat::ChannelsLast));
  GSG_RETURN_IF_ERROR(
      augment_batch_(images_, index.to(device_, /*non_blocking=*/true),
                     params.to(device_, /*non_blocking=*/true), augment, out));
  return ViewBatch{out, count};
}

}  // namespace gsg
