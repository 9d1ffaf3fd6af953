#ifndef GSG_TRAINERS_VIEWS_RESIDENT_VIEWS_H_
#define GSG_TRAINERS_VIEWS_RESIDENT_VIEWS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pixels/params.h"
#include "trainers/augment/options.h"
#include "trainers/image/image_set.h"
#include "trainers/views/loader.h"
#include "trainers/views/view_batch.h"
#include "trainers/views/view_source.h"

namespace gsg {

// Makes view v of image index[v] by params[v], with all tensors on one device:
//   images: [N, C, H, W] uint8
//   index:  [V] int64, each of 0..N-1
//   params: [V, sizeof(AugmentParams)] uint8, the bytes of AugmentParams
//   out:    [V, C, S, S] float32, channels-last, S = options.size
using AugmentBatch = absl::Status (*)(const at::Tensor& images,
                                      const at::Tensor& index,
                                      const at::Tensor& params,
                                      const AugmentOptions& options,
                                      at::Tensor& out);

// trainers/augment, an image after the other: what a GPU's is judged by.
absl::Status AugmentOnCpu(const at::Tensor& images, const at::Tensor& index,
                          const at::Tensor& params,
                          const AugmentOptions& options, at::Tensor& out);

// The kernel of cuda/augment.h. Null in builds without --config=cuda.
AugmentBatch AugmentOnGpu();

// Views of a data set whose images are kept on the device as bytes and
// augmented there, a batch at a time. What happens to a view is drawn here, as
// BatchLoader draws it: with AugmentOnCpu the pixels are the loader's.
//
// Memory on the device: the images (CIFAR 154 MB), and a batch's views.
class ResidentViews final : public ViewSource {
 public:
  // Copies the images. `options` as for a BatchLoader; its threads and prefetch
  // have nothing to do here. Errors: BatchLoader::Create's.
  static absl::StatusOr<std::unique_ptr<ResidentViews>> Create(
      const ImageSet& images, const AugmentOptions& augment,
      const LoaderOptions& options, c10::Device device,
      AugmentBatch augment_batch);

  int64_t batches_per_epoch() const override { return batches_per_epoch_; }
  void StartEpoch(int64_t epoch, int64_t first_batch) override;
  // Errors: also those of augment_batch.
  absl::StatusOr<bool> Next(StepViews* views) override;

 private:
  ResidentViews(const ImageSet& images, const AugmentOptions& augment,
                const LoaderOptions& options, c10::Device device,
                AugmentBatch augment_batch);

  // Views `first` .. `first` + `count` - 1 of the images `indices`.
  absl::StatusOr<ViewBatch> Make(const std::vector<int64_t>& indices,
                                 const AugmentOptions& augment, int first,
                                 int count) const;

  const at::Tensor images_;
  const AugmentOptions augment_;
  const LoaderOptions options_;
  const c10::Device device_;
  const AugmentBatch augment_batch_;
  const int64_t batches_per_epoch_;

  absl::Status epoch_status_;
  int64_t epoch_ = 0;
  int64_t batch_ = 0;  // the next one
  std::vector<int64_t> order_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_RESIDENT_VIEWS_H_
