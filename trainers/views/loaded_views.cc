#include "trainers/views/loaded_views.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/Device.h>
#include <c10/core/MemoryFormat.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/views/loader.h"
#include "trainers/views/view_batch.h"

namespace gsg {
namespace {

// `count` views of the batch's images, from `first` on in `pixels`.
ViewBatch Views(const at::Tensor& pixels, int64_t first, int64_t count,
                const Batch& batch, int64_t side) {
  if (count == 0) return {};
  const int64_t rows = count * batch.size;
  return {pixels.narrow(0, first, rows * batch.channels * side * side)
              .view({rows, batch.channels, side, side})
              .contiguous(at::MemoryFormat::ChannelsLast),
          count};
}

at::Tensor Flat(std::vector<float>& pixels) {
  return at::from_blob(pixels.data(), {static_cast<int64_t>(pixels.size())});
}

}  // namespace

LoadedViews::LoadedViews(std::unique_ptr<BatchLoader> loader,
                         c10::Device device)
    : loader_(std::move(loader)), device_(device) {
  if (device_.is_cpu()) return;
  copies_ = c10::impl::VirtualGuardImpl(device_.type())
                .getStreamFromGlobalPool(device_, /*isHighPriority=*/false);
}

absl::StatusOr<bool> LoadedViews::Next(StepViews* views) {
  absl::StatusOr<bool> more = loader_->Next(&batch_);
  if (!more.ok() || !*more) return more;
  if (copies_) {
    Upload(views);
    return true;
  }
  views->global =
      Views(Flat(batch_.pixels), 0, batch_.views, batch_, batch_.side);
  views->local = Views(Flat(batch_.local_pixels), 0, batch_.local_views, batch_,
                       batch_.local_side);
  return true;
}

void LoadedViews::Upload(StepViews* views) {
  const c10::impl::VirtualGuardImpl gpu(device_.type());
  const c10::Stream current = gpu.getStream(device_);
  Slot& slot = slots_[next_slot_];
  next_slot_ = (next_slot_ + 1) % slots_.size();
  const int64_t large = batch_.pixels.size();
  const int64_t floats = large + batch_.local_pixels.size();
  if (!slot.pinned.defined()) {
    slot.pinned = at::empty({floats}, at::TensorOptions().pinned_memory(true));
    slot.on_device = at::empty({floats}, at::TensorOptions(device_));
    slot.copied.emplace(device_.type());
    slot.used.emplace(device_.type());
    // The memory may have had another owner on this stream.
    slot.used->record(current);
  } else {
    slot.copied->synchronize();
  }
  float* out = slot.pinned.mutable_data_ptr<float>();
  std::copy(batch_.pixels.begin(), batch_.pixels.end(), out);
  std::copy(batch_.local_pixels.begin(), batch_.local_pixels.end(),
            out + large);
  {
    const c10::StreamGuard guard(*copies_);
    slot.used->block(*copies_);
    slot.on_device.copy_(slot.pinned, /*non_blocking=*/true);
    slot.copied->record(*copies_);
  }
  slot.copied->block(current);
  views->global = Views(slot.on_device, 0, batch_.views, batch_, batch_.side);
  views->local = Views(slot.on_device, large, batch_.local_views, batch_,
                       batch_.local_side);
  slot.used->record(current);
}

}  // namespace gsg
