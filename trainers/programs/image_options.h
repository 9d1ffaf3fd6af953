// Flags: which images a run's network is applied to, and on which device.

#ifndef GSG_TRAINERS_PROGRAMS_IMAGE_OPTIONS_H_
#define GSG_TRAINERS_PROGRAMS_IMAGE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/programs/run_options.h"
#include "trainers/run/saved_network.h"

namespace gsg {

struct ImageOptions : ComputeOptions {
  std::string dataset;
  std::string data_dir;
  std::string data_list;
  int64_t image_size = 0;
};

// For the ForEachField of a struct that has ImageOptions for a base.
void ForEachImageField(ImageOptions& options, FieldVisitor visit);

// Errors: kInvalidArgument for a data set that does not exist.
absl::Status CheckImages(const ImageOptions& options);

// Where the images are that `options` name: absolute, or the run's own place.
DataPlace PlaceOfImages(const ImageOptions& options, const Config& run);

// The data set that `options` name. Says on stderr what was passed over.
// Errors: those of LoadDataset; kFailedPrecondition if its images have other
// channels than the network takes.
absl::StatusOr<Dataset> LoadImages(const ImageOptions& options,
                                   const SavedNetwork& network);

// How the images of `source` are shown to the network.
EvaluationOptions EvaluationFor(const ImageOptions& options,
                                const SavedNetwork& network,
                                const ImageSource& source);

// Says on stderr what was passed over (Dataset::notes).
void ShowNotes(const std::vector<std::string>& notes);

// Names on stderr the images in `damaged` from number `from` on. Returns how
// many there are now.
size_t WarnOfDamaged(const DamagedImages& damaged, size_t from);

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_IMAGE_OPTIONS_H_
