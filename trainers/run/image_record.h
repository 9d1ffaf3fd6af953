// Which images a run has: noted when it begins, and looked at when it goes on.

#ifndef GSG_TRAINERS_RUN_IMAGE_RECORD_H_
#define GSG_TRAINERS_RUN_IMAGE_RECORD_H_

#include <cstdint>
#include <string>

#include "trainers/image/dataset.h"

namespace gsg {

struct ImageRecord {
  // Of training and test images; no training images: nothing was noted, as in
  // checkpoints of older versions.
  int64_t train = 0, test = 0;
  int64_t classes = 0;
  // CRC-32C of the images' names, which in folders are paths below it, of their
  // labels and of the classes' names.
  int64_t checksum = 0;
};

ImageRecord RecordOf(const Dataset& dataset);

// What to tell the user if a run goes on with other images than it had: how
// many those were, and what follows. Empty if they are the same, or unknown.
std::string OtherImagesWarning(const ImageRecord& before,
                               const ImageRecord& now);

}  // namespace gsg

#endif  // GSG_TRAINERS_RUN_IMAGE_RECORD_H_
