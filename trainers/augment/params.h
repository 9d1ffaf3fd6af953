#ifndef GSG_TRAINERS_AUGMENT_PARAMS_H_
#define GSG_TRAINERS_AUGMENT_PARAMS_H_

#include <cstdint>

#include "pixels/params.h"
#include "trainers/augment/options.h"

namespace gsg {

// The parameters of view `view` of image `index` in epoch `epoch` under
// `seed`: always the same for the same arguments, whoever asks and in whatever
// order. Switching one augmentation on or off leaves the others' draws alone.
// height, width: of the image, at least 1. epoch, index: below 2^32; view:
// below 2^32 - 1.
AugmentParams SampleParams(const AugmentOptions& options, uint64_t seed,
                           int64_t epoch, int64_t index, int64_t view,
                           int height, int width);

// For evaluation: no randomness. The whole of a square image, and the central
// square of any other (torchvision's Resize(size), CenterCrop(size) up to
// sub-pixel position).
AugmentParams PlainParams(int height, int width);

}  // namespace gsg

#endif  // GSG_TRAINERS_AUGMENT_PARAMS_H_
