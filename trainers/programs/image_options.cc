#include "trainers/programs/image_options.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/paths.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/run/saved_network.h"

namespace gsg {

void ForEachImageField(ImageOptions& options, FieldVisitor visit) {
  ForEachComputeField(options, visit);
  constexpr absl::string_view kImages = "Images";
  visit(&options.dataset, Field{"dataset", kImages,
                                "data set as a trainer has it; empty = the "
                                "one that the run learned from"});
  visit(&options.data_dir,
        Field{"data_dir", kImages,
              "folder with the data set's files, or what else a trainer's "
              "--data_dir may be; empty = where the run had them"}
            .Path()
            .List());
  visit(&options.data_list,
        Field{"data_list", kImages,
              "list of images, as a trainer has it, in the place of --data_dir"}
            .Path());
  visit(&options.image_size,
        Field{"image_size", kImages,
              "side of the square that is cut from an image, in pixels; 0 = as "
              "in the run"}
            .Between(0, 4096));
}

absl::Status CheckImages(const ImageOptions& options) {
  const std::vector<absl::string_view> names = DatasetNames();
  if (options.dataset.empty() ||
      std::find(names.begin(), names.end(), options.dataset) != names.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--dataset=", options.dataset, ": unknown data set; ",
                   DidYouMean(options.dataset, names),
                   "known: ", absl::StrJoin(names, ", ")));
}

DataPlace PlaceOfImages(const ImageOptions& options, const Config& run) {
  const bool own = options.dataset.empty() || options.dataset == run.dataset;
  if (own && options.data_dir.empty() && options.data_list.empty()) {
    return {run.data_dir, run.data_list};
  }
  return {AbsolutePath(options.data_dir, /*list=*/true),
          AbsolutePath(options.data_list)};
}

absl::StatusOr<Dataset> LoadImages(const ImageOptions& options,
                                   const SavedNetwork& network) {
  absl::StatusOr<Dataset> dataset = LoadDataset(
      options.dataset.empty() ? network.config.dataset : options.dataset,
      PlaceOfImages(options, network.config),
      static_cast<int>(network.channels()));
  if (!dataset.ok()) return dataset.status();
  ShowNotes(dataset->notes);
  if (dataset->train->channels() != network.channels()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the images of ", dataset->name, " have ", dataset->train->channels(),
        " channels; the network of this run takes ", network.channels()));
  }
  return dataset;
}

EvaluationOptions EvaluationFor(const ImageOptions& options,
                                const SavedNetwork& network,
                                const ImageSource& source) {
  EvaluationOptions evaluation;
  evaluation.side = options.image_size > 0
                        ? options.image_size
                        : EvaluationSide(source, network.config.augment.size);
  evaluation.stats = network.stats();
  evaluation.threads = at::get_num_threads();
  return evaluation;
}

void ShowNotes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) {
    absl::FPrintF(stderr, "note: %s\n", note);
  }
}

size_t WarnOfDamaged(const DamagedImages& damaged, size_t from) {
  const size_t count = damaged.list().size();
  for (size_t i = from; i < count; ++i) {
    absl::FPrintF(stderr, "warning: %s is left out: %s\n",
                  damaged.list()[i].name, damaged.list()[i].reason);
  }
  return count;
}

}  // namespace gsg
