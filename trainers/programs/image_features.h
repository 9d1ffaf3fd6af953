// Features of a folder of images, kept from one call to the next.

#ifndef GSG_TRAINERS_PROGRAMS_IMAGE_FEATURES_H_
#define GSG_TRAINERS_PROGRAMS_IMAGE_FEATURES_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/explore/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/file_source.h"
#include "trainers/run/saved_network.h"

namespace gsg {

// A row of features for each of some images.
struct FeatureTable {
  std::vector<std::string> names;
  int64_t width = 0;
  std::vector<float> values;  // [names.size(), width]
};

// The features that `network` gives to the images of `source`, in their order,
// damaged ones left out and noted in `damaged`.
//
// They are kept in path (which ends in .npy), path with .txt (as `embed` writes
// them) and with .cache.json, and taken from there where the network, by
// `network_stamp`, and the file, by FileStamp, are the same. All that are
// there are saved once a minute, and when `watch` stops this.
// Errors: kCancelled by `watch`, which is told images; kDataLoss if none can be
// read; Backbone::CheckImageSize's; the file system's.
absl::StatusOr<FeatureTable> KeptFeatures(const SavedNetwork& network,
                                          const std::string& network_stamp,
                                          const FileSource& source,
                                          const EvaluationOptions& options,
                                          c10::Device device,
                                          const std::string& path,
                                          DamagedImages* damaged, Watch watch);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_IMAGE_FEATURES_H_
