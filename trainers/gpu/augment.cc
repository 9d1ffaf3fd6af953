#include "cuda/augment.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "pixels/params.h"
#include "trainers/augment/options.h"
#include "trainers/engine/resident_views.h"
#include "trainers/gpu/gpu.h"

namespace gsg {
namespace {

absl::Status Augment(const at::Tensor& images, const at::Tensor& index,
                     const at::Tensor& params, const AugmentOptions& options,
                     at::Tensor& out) {
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
      cuda::AugmentWorkspaceBytes(array, settings, views);
  at::Tensor workspace;
  if (workspace_bytes > 0) {
    workspace = at::empty({static_cast<int64_t>(workspace_bytes)}, bytes);
  }
  // Never set: indices are those of an epoch's order, crops SampleParams'.
  const at::Tensor faults = at::zeros({1}, bytes.dtype(c10::kInt));
  return cuda::Augment<float>(
      array, settings, index.const_data_ptr<int64_t>(),
      reinterpret_cast<const AugmentParams*>(params.const_data_ptr<uint8_t>()),
      views, out.mutable_data_ptr<float>(),
      workspace.defined() ? workspace.mutable_data_ptr() : nullptr,
      reinterpret_cast<uint32_t*>(faults.mutable_data_ptr<int>()),
      c10::cuda::getCurrentCUDAStream(images.device().index()).stream());
}

}  // namespace

AugmentBatch GpuAugmentation() { return &Augment; }

}  // namespace gsg
