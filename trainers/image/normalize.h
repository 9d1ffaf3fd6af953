#ifndef GSG_TRAINERS_IMAGE_NORMALIZE_H_
#define GSG_TRAINERS_IMAGE_NORMALIZE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trainers/image/dataset.h"

namespace gsg {

// Sets the channels' statistics of `dataset` (ChannelStats) to
//   auto      what LoadDataset chose: ImageNet's for a folder, its own for
//             others; for a folder of other channels than 1 or 3, measured
//   imagenet  ImageNet's
//   measured  those of the training images; of a folder, of 500 of them, evenly
//             spaced
//   MEAN:STD  as 0.5:0.25 or 0.49,0.48,0.45:0.25,0.24,0.26, of pixels in 0..1:
//             one number for all channels or one for each
// Errors: kInvalidArgument for anything else, naming it, and for ImageNet's
// where channels are neither 1 nor 3; kDataLoss if none of
// the images to measure can be read.
absl::Status Normalize(absl::string_view how, Dataset* dataset);

// Whether `how` is one of the above, before there are images.
absl::Status CheckNormalize(absl::string_view how);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_NORMALIZE_H_
