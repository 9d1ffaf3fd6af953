#ifndef GSG_TRAINERS_EVALUATE_VIEW_RETRIEVAL_H_
#define GSG_TRAINERS_EVALUATE_VIEW_RETRIEVAL_H_

#include <c10/core/Device.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/backbone.h"
#include "trainers/augment/options.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image_source.h"

namespace gsg {

// A score without labels: how often two views of an image find each other.
// Makes two augmented views of each image `indices`; returns for how many of
// them, in percent, the first view's nearest feature among all second views (by
// cosine) is that of the same image. 100 / indices.size() is chance. A high
// score does not say that features tell classes apart; a low one says that they
// hardly tell images apart. `options.side` is not used: views have the side of
// `augment`. Errors: those of BackboneFeatures.
absl::StatusOr<double> ViewRetrieval(
    Backbone& backbone, const ImageSource& source,
    absl::Span<const int64_t> indices, const AugmentOptions& augment,
    uint64_t seed, const EvaluationOptions& options, c10::Device device,
    DamagedImages* damaged);

// The same of raw pixels: of views of at most 32 x 32.
absl::StatusOr<double> PixelViewRetrieval(const ImageSource& source,
                                          absl::Span<const int64_t> indices,
                                          const AugmentOptions& augment,
                                          uint64_t seed, int threads,
                                          DamagedImages* damaged);

}  // namespace gsg

#endif  // GSG_TRAINERS_EVALUATE_VIEW_RETRIEVAL_H_
