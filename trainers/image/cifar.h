#ifndef GSG_TRAINERS_IMAGE_CIFAR_H_
#define GSG_TRAINERS_IMAGE_CIFAR_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/image/image_set.h"

namespace gsg {

// Reads files of CIFAR's binary format one after the other: records of one
// byte per label and 3072 pixel bytes (R, G and B planes of 32 x 32).
// label_ranges: how many classes each label byte of a record may name; the
// last is the one kept. {10} for CIFAR-10, {20, 100} (coarse, fine) for
// CIFAR-100.
// Errors: kDataLoss with the file and both values if a size is not a positive
// multiple of the record's, or a label is out of range; otherwise InputFile's.
absl::StatusOr<ImageSet> ReadCifar(const std::vector<std::string>& paths,
                                   const std::vector<int>& label_ranges);

// The lines of a text file that are not blank: exactly `count` class names.
// Errors: kDataLoss for another number; otherwise InputFile's.
absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path,
                                                        int count);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_CIFAR_H_
