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
#include "trainers/config/field.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/run/saved_network.h"

namespace gsg {

struct ImageOptions {
  std::string device = "auto";
  int64_t threads = 0;
  std::string dataset;
  std::string data_dir;
  std::string data_list;
  int64_t image_size = 0;
};

// For the VisitFields of a struct that has ImageOptions for a base.
template <class Options, class Visitor>
void VisitImageFields(Options& options, Visitor&& visit) {
  constexpr absl::string_view kRun = "Run";
  visit(options.device,
        Field{"device", kRun, "auto = cuda if there is one, or cpu"}.OneOf(
            {"auto", "cpu", "cuda"}));
  visit(options.threads,
        Field{"threads", kRun, "CPU threads to compute with, 0 = all"}.Between(
            0, 1024));
  constexpr absl::string_view kImages = "Images";
  visit(options.dataset, Field{"dataset", kImages,
                               "data set as a trainer has it; empty = the "
                               "one that the run learned from"});
  visit(options.data_dir,
        Field{"data_dir", kImages,
              "folder with the data set's files, or what else a trainer's "
              "--data_dir may be; empty = where the run had them"}
            .Path()
            .List());
  visit(options.data_list,
        Field{"data_list", kImages,
              "list of images, as a trainer has it, in the place of --data_dir"}
            .Path());
  visit(options.image_size,
        Field{"image_size", kImages,
              "side of the square that is cut from an image, in pixels; 0 = as "
              "in the run"}
            .Between(0, 4096));
}

// Errors: kInvalidArgument for a data set that does not exist.
absl::Status CheckImages(const ImageOptions& options);

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
