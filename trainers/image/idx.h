#ifndef GSG_TRAINERS_IMAGE_IDX_H_
#define GSG_TRAINERS_IMAGE_IDX_H_

#include <string>

#include "absl/status/statusor.h"
#include "trainers/image/image_set.h"

namespace gsg {

// Reads images and their labels from two files in MNIST's IDX format: a
// big-endian header (magic number, one size per dimension) and unsigned bytes.
// Images are [count, height, width] and give one channel; labels are [count]
// in 0 .. classes - 1.
// Errors: kDataLoss with the file and both values for a wrong magic number, a
// header that promises more than the file can hold (checked before any
// allocation), missing or trailing bytes, differing counts, or a label out of
// range; otherwise InputFile's.
absl::StatusOr<ImageSet> ReadIdx(const std::string& images_path,
                                 const std::string& labels_path, int classes);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_IDX_H_
