// Writes the features of images as an array for search and clustering.

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/format.h"
#include "trainers/base/leave.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/field.h"
#include "trainers/console/progress.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/image/images.h"
#include "trainers/programs/image_options.h"
#include "trainers/programs/names_file.h"
#include "trainers/programs/npy_writer.h"
#include "trainers/programs/program.h"
#include "trainers/programs/run_options.h"
#include "trainers/run/saved_network.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "embed writes the features that a run's network gives to images, one row "
    "each, as\na NumPy array for search and clustering, and beside it their "
    "names, one a line in\nthe same order. Images that cannot be read are "
    "named "
    "and left out.\n\n"
    "Examples:\n"
    "  embed --run=runs/photos --images=$HOME/photos --output=photos.npy\n"
    "    -> photos.npy [N, d] float32, photos.txt\n"
    "  embed --run=runs/photos --images=photos-{000..007}.tar\n"
    "    -> features.npy, features.txt with lines such as "
    "photos-000.tar/cat/1.jpg\n"
    "  embed --run=runs/cifar --dataset=cifar10 --split=test "
    "--output=test.npy\n"
    "    -> test.npy [N, d] float32, test.txt, test.labels.npy [N] int64\n";

constexpr absl::string_view kExtension = ".npy";

struct EmbedOptions : RunOptions, ImageOptions {
  std::string images;
  std::string split = "train";
  std::string output = "features.npy";
};

void ForEachField(EmbedOptions& o, FieldVisitor visit) {
  ForEachRunField(o, visit);
  constexpr absl::string_view kImages = "Images";
  visit(
      &o.images,
      Field{"images", kImages,
            "instead of --dataset: folder with images at any depth, tar "
            "archives of them (shard-{000..146}.tar, or a folder of such), or "
            "one image"}
          .Path());
  ForEachImageField(o, visit);
  visit(&o.split, Field{"split", kImages, "which images of --dataset"}.OneOf(
                      {"train", "test"}));
  constexpr absl::string_view kOutput = "Output";
  visit(&o.output, Field{"output", kOutput,
                         "the array to write; names go to the same with .txt, "
                         "labels to .labels.npy"}
                       .Path());
}

absl::Status Validate(const EmbedOptions& options) {
  absl::Status status = CheckRun(options);
  status.Update(CheckImages(options));
  if (!options.images.empty() && !options.dataset.empty()) {
    status.Update(absl::InvalidArgumentError(
        "--images and --dataset both name images: give one of them"));
  }
  if (!absl::EndsWith(options.output, kExtension)) {
    status.Update(absl::InvalidArgumentError(absl::StrCat(
        "--output=", options.output, ": must end in ", kExtension)));
  }
  return status;
}

absl::StatusOr<std::unique_ptr<const ImageSource>> OpenImages(
    const EmbedOptions& options, const SavedNetwork& network) {
  if (!options.images.empty()) {
    GSG_ASSIGN_OR_RETURN(
        ImageFiles files,
        ReadImages(options.images, static_cast<int>(network.channels())));
    ShowNotes(files.notes);
    return std::move(files.source);
  }
  GSG_ASSIGN_OR_RETURN(Dataset dataset, LoadImages(options, network));
  if (options.split == "train") return std::move(dataset.train);
  if (dataset.test == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(dataset.name,
                     " has no test images with labels; use --split=train, or "
                     "--images=FOLDER for images without labels"));
  }
  return std::move(dataset.test);
}

// How far it is, on a terminal.
void ShowProgress(int64_t done, int64_t all) {
  const Console console = StderrConsole();
  if (console.width() == 0) return;
  absl::FPrintF(stderr, "\r%s of %s images%s", GroupedNumber(done),
                GroupedNumber(all), done == all ? "\n" : "");
}

absl::Status Embed(const EmbedOptions& options) {
  GSG_ASSIGN_OR_RETURN(c10::Device device, ChooseDevice(options.device));
  const CpuThreads cpu_threads(options.threads);
  GSG_ASSIGN_OR_RETURN(SavedNetwork network, OpenNetwork(options, device));
  GSG_ASSIGN_OR_RETURN(std::unique_ptr<const ImageSource> source,
                       OpenImages(options, network));

  const int64_t count = source->size();
  // Any number of damaged images is left out.
  DamagedImages damaged(/*max_share=*/1);
  EvaluationImages images(source.get(),
                          EvaluationFor(options, network, *source), &damaged);
  const ImageSize size = images.size();
  GSG_RETURN_IF_ERROR(
      network.backbone->CheckImageSize(size.height, size.width));
  const int64_t width = network.backbone->feature_dim();
  GSG_ASSIGN_OR_RETURN(
      std::unique_ptr<NpyWriter> features,
      NpyWriter::Create(options.output, NpyWriter::Type::kFloat32, width));
  std::vector<int64_t> labels;
  std::string names;

  EvaluationBatch batch;
  std::vector<int64_t> indices;
  size_t warned = 0;
  for (int64_t first = 0; first < count; first += images.block()) {
    indices.resize(std::min(images.block(), count - first));
    std::iota(indices.begin(), indices.end(), first);
    GSG_RETURN_IF_ERROR(images.Read(indices, &batch));
    warned = WarnOfDamaged(damaged, warned);
    const auto read = static_cast<int64_t>(batch.indices.size());
    if (read > 0) {
      const at::Tensor rows =
          FeaturesOfBatch(*network.backbone, images, batch, device).cpu();
      GSG_RETURN_IF_ERROR(features->Append(
          absl::MakeConstSpan(rows.const_data_ptr<float>(), rows.numel())));
    }
    for (const int64_t index : batch.indices) {
      absl::StrAppend(&names, NameLine(source->name(index)), "\n");
      if (!source->labels().empty()) {
        labels.push_back(source->labels()[index]);
      }
    }
    ShowProgress(first + static_cast<int64_t>(indices.size()), count);
  }
  if (features->rows() == 0) {
    return absl::DataLossError("none of the images could be read");
  }
  GSG_RETURN_IF_ERROR(features->Finish());
  const std::string names_path = BesideNpy(options.output, ".txt");
  GSG_RETURN_IF_ERROR(WriteFileAtomically(names_path, names));
  std::string written = absl::StrCat(options.output, ", ", names_path);
  const std::string path = BesideNpy(options.output, ".labels.npy");
  if (labels.empty()) {
    // Of other images, written before.
    std::error_code error;
    std::filesystem::remove(path, error);
  } else {
    GSG_ASSIGN_OR_RETURN(std::unique_ptr<NpyWriter> writer,
                         NpyWriter::Create(path, NpyWriter::Type::kInt64, 0));
    GSG_RETURN_IF_ERROR(writer->Append(labels));
    GSG_RETURN_IF_ERROR(writer->Finish());
    absl::StrAppend(&written, ", ", path);
  }
  absl::PrintF("%s images, %d features each: %s\n",
               GroupedNumber(static_cast<double>(features->rows())), width,
               written);
  return absl::OkStatus();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  gsg::Program<gsg::EmbedOptions> program = {"embed", gsg::kIntroduction,
                                             gsg::Embed};
  program.memory_advice = gsg::kFewerThreads;
  gsg::Leave(gsg::ProgramMain(program, argc, argv));
}
