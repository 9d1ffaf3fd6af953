#ifndef GSG_TRAINERS_IMAGE_HOLD_OUT_H_
#define GSG_TRAINERS_IMAGE_HOLD_OUT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "trainers/image/dataset.h"

namespace gsg {

// Puts validation images in the place of the test images, for choices that must
// not be made on the test images: `count` of the training images, the last
// count / classes of each class in the order of the files, which are no longer
// trained on. The split is always the same. Channel statistics stay those of
// all training images. Errors: kInvalidArgument, naming --validation, if the
// data set is not in memory, has no labels, or count is no multiple of the
// classes or leaves a class empty.
absl::Status HoldOut(int64_t count, Dataset* dataset);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_HOLD_OUT_H_
