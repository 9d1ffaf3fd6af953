#ifndef GSG_TRAINERS_VIEWS_LOADED_VIEWS_H_
#define GSG_TRAINERS_VIEWS_LOADED_VIEWS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "trainers/views/loader.h"
#include "trainers/views/view_batch.h"
#include "trainers/views/view_source.h"

namespace gsg {

// Views made on the CPU. For a GPU they go through pinned memory on a stream of
// their own, so that copying one batch and computing with the one before it go
// on side by side. A few batches are on their way at once, and no more: memory
// is bounded, however far the CPU could run ahead.
class LoadedViews final : public ViewSource {
 public:
  LoadedViews(std::unique_ptr<BatchLoader> loader, c10::Device device);

  int64_t batches_per_epoch() const override {
    return loader_->batches_per_epoch();
  }
  void StartEpoch(int64_t epoch, int64_t first_batch) override {
    loader_->StartEpoch(epoch, first_batch);
  }
  absl::StatusOr<bool> Next(StepViews* views) override;

 private:
  // What a batch on its way to the GPU occupies.
  struct Slot {
    at::Tensor pinned, on_device;      // [floats]
    std::optional<c10::Event> copied;  // out of `pinned`
    std::optional<c10::Event> used;    // all of `on_device`
  };

  void Upload(StepViews* views);

  const std::unique_ptr<BatchLoader> loader_;
  const c10::Device device_;
  std::optional<c10::Stream> copies_;  // of a GPU
  Batch batch_;
  std::array<Slot, 3> slots_;
  size_t next_slot_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_LOADED_VIEWS_H_
