// Frozen features of images, for evaluation.

#ifndef GSG_TRAINERS_EVALUATE_FEATURES_H_
#define GSG_TRAINERS_EVALUATE_FEATURES_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/backbone.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_source.h"

namespace gsg {

// One row for each image that could be read, in the order asked for.
struct Features {
  at::Tensor rows;               // [N, d] float32 on the CPU
  at::Tensor labels;             // [N] int64; undefined if there are none
  std::vector<int64_t> indices;  // [N] in the source
};

// The backbone's features of a batch that `images` has read, [B, feature_dim()]
// float32 on `device`, where the backbone is, in evaluation mode. On the CPU it
// takes some images at a time, since activations are most of the memory: 20 of
// 224 x 224 pixels, for which a ResNet-50 takes 2 GB less than for a block of
// 111, at the same speed.
at::Tensor FeaturesOfBatch(Backbone& backbone, const EvaluationImages& images,
                           EvaluationBatch& batch, c10::Device device);

// The backbone's features of the images `indices` of `source`, computed in
// evaluation mode on `device`; the mode the backbone was in is restored.
// Damaged images are left out and noted in `damaged`.
// Memory: the result, and a block of images (EvaluationImages::block).
// Errors: kDataLoss if too many images are damaged, or all of these; kCancelled
// if Interrupted() (interrupt.h); Backbone::CheckImageSize's.
absl::StatusOr<Features> BackboneFeatures(Backbone& backbone,
                                          const ImageSource& source,
                                          absl::Span<const int64_t> indices,
                                          const EvaluationOptions& options,
                                          c10::Device device,
                                          DamagedImages* damaged);

// Features of `indices`, each computed by the rank whose part of them it is in:
// `features_of` is called with those. All are on the root of `world`, in order;
// elsewhere the result is empty.
// Errors: those of features_of on any rank (World::Agree); kCancelled on all if
// it is on one; the world's.
absl::StatusOr<Features> FeaturesOfRanks(
    World& world, const ImageSource& source, absl::Span<const int64_t> indices,
    absl::FunctionRef<absl::StatusOr<Features>(absl::Span<const int64_t>)>
        features_of);

// The images themselves as flat rows [N, C*H*W] of values in 0..1: the
// raw-pixel baseline. Images of differing sizes become squares of side
// min(crop_size, 32). Memory and errors as above.
absl::StatusOr<Features> PixelFeatures(const ImageSource& source,
                                       absl::Span<const int64_t> indices,
                                       int64_t crop_size, int threads,
                                       DamagedImages* damaged);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_FEATURES_H_
