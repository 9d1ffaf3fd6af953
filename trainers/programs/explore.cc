// From a folder of images to answers: duplicates, outliers, clusters,
// neighbors, suspicious labels, and a page that shows them.

#include <ATen/Parallel.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "gsg_core/thread_pool.h"
#include "trainers/base/format.h"
#include "trainers/base/interrupt.h"
#include "trainers/base/leave.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/field.h"
#include "trainers/config/paths.h"
#include "trainers/console/pass_progress.h"
#include "trainers/console/progress.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/explore/answers.h"
#include "trainers/explore/clusters.h"
#include "trainers/explore/duplicates.h"
#include "trainers/explore/features.h"
#include "trainers/explore/labels.h"
#include "trainers/explore/layout.h"
#include "trainers/explore/looks.h"
#include "trainers/explore/neighbor_graph.h"
#include "trainers/explore/neighbors.h"
#include "trainers/explore/outliers.h"
#include "trainers/explore/page.h"
#include "trainers/explore/sheets.h"
#include "trainers/explore/tables.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/images.h"
#include "trainers/image/shards.h"
#include "trainers/programs/explore_images.h"
#include "trainers/programs/explore_index.h"
#include "trainers/programs/image_features.h"
#include "trainers/programs/image_options.h"
#include "trainers/programs/names_file.h"
#include "trainers/programs/npy_reader.h"
#include "trainers/programs/program.h"
#include "trainers/programs/run_options.h"
#include "trainers/programs/torch_product.h"
#include "trainers/run/saved_network.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "explore says what is in a folder of images: which are there twice, which "
    "do not\nbelong, which groups there are, what is like what, and, where "
    "there are class\nfolders, which images lie in the wrong one. It writes "
    "index.html, to look at in a\nbrowser, and the same as tables.\n\n"
    "Examples:\n"
    "  explore --run=runs/photos --images=$HOME/photos --output=answers\n"
    "    -> answers/index.html, duplicates.csv, outliers.csv, clusters.csv,\n"
    "       neighbors.csv, labels.csv, features.npy, sheets/\n"
    "  explore --features=photos.npy --images=$HOME/photos --output=answers\n"
    "    the same from what `embed` wrote, or any float32 array with a list "
    "of\n"
    "    names, photos.txt, beside it\n\n"
    "The same command again computes what is new. search finds what is like\n"
    "another image.\n";

constexpr int64_t kFewThumbnails = 20000;
// Beyond, comparing all takes more than some minutes: docs/explore.md.
constexpr int64_t kMostCompared = 200000;
constexpr int64_t kRecallQueries = 200;
constexpr int64_t kRecallNeighbors = 10;
constexpr int64_t kVoters = 30;
// How far above the usual nearest cosine that of duplicates lies, in standard
// deviations (explore/duplicates.h). Features propose, pixels decide; without
// pixels, features alone have to be sure. docs/explore.md has what was tried.
constexpr double kDeviations = 0;
constexpr double kDeviationsUnseen = 3;
// Pixels propose, too: pairs with this cosine between their TurnedRows, among
// the nearest so many of each. Pictures that correlate to kLooksAlike have
// about that cosine or more.
constexpr int64_t kAlikePictures = 10;
constexpr double kAlikeProposed = 0.95;

struct ExploreOptions : RunOptions, ComputeOptions {
  std::string features;
  std::string images;
  std::string output = "explored";
  int64_t image_size = 0;
  int64_t neighbors = 10;
  std::string clusters = "auto";
  std::string neighbor_search = "auto";
  std::string duplicates = "auto";
  std::string labels = "auto";
  bool center = true;
  int64_t thumbnail = 0;
};

void ForEachField(ExploreOptions& o, FieldVisitor visit) {
  ForEachRunField(o, visit);
  ForEachComputeField(o, visit);
  constexpr absl::string_view kImages = "Images";
  visit(&o.images,
        Field{"images", kImages,
              "folder with images at any depth, or tar archives of them "
              "(shard-{000..146}.tar, or a folder of such)"}
            .Path());
  visit(&o.features,
        Field{"features", kImages,
              "instead of --run: a .npy file of features made before, with "
              "the names of the images in the same with .txt"}
            .Path());
  visit(&o.image_size,
        Field{"image_size", kImages,
              "side of the square that is cut from an image, in pixels; 0 = as "
              "in the run"}
            .Between(0, 4096));
  constexpr absl::string_view kAnswers = "Answers";
  visit(&o.neighbors,
        Field{"neighbors", kAnswers, "most alike images to find for each"}
            .Between(1, 200));
  visit(&o.neighbor_search,
        Field{"neighbor_search", kAnswers,
              "exact = compare all images, approximate = by a graph (HNSW), "
              "auto = exact up to 200,000 images"}
            .OneOf({"auto", "exact", "approximate"}));
  visit(&o.duplicates,
        Field{"duplicates", kAnswers,
              "cosine from which on two images are the same picture, or auto: "
              "the page has a histogram to choose by"});
  visit(&o.clusters, Field{"clusters", kAnswers,
                           "number of clusters, or auto: by silhouette"});
  visit(&o.labels,
        Field{"labels", kAnswers,
              "auto = folders are classes if they look like it, folders = "
              "they are, none = they are not"}
            .OneOf({"auto", "folders", "none"}));
  visit(&o.center, Field{"center", kAnswers,
                         "subtract the mean of all features before cosines are "
                         "taken"});
  constexpr absl::string_view kOutput = "Output";
  visit(&o.output, Field{"output", kOutput, "folder to write"}.Path());
  visit(&o.thumbnail,
        Field{"thumbnail", kOutput,
              "side of the page's thumbnails in pixels; 0 = 96 up to 20,000 "
              "images, else 64"}
            .Between(0, 256));
}

absl::Status Validate(const ExploreOptions& options) {
  const bool run = !options.run.empty() || !options.checkpoint.empty() ||
                   !options.weights.empty();
  if (run && !options.features.empty()) {
    return absl::InvalidArgumentError(
        "--features and a network (--run, --checkpoint, --weights) both say "
        "where features are from: give one");
  }
  if (run) GSG_RETURN_IF_ERROR(CheckRun(options));
  if (!run && options.features.empty()) {
    return absl::InvalidArgumentError(
        "needs features: --run=RUN with --images=FOLDER computes them, "
        "--features=FILE.npy reads them");
  }
  if (run && options.images.empty()) {
    return absl::InvalidArgumentError(
        "a network needs --images=FOLDER: the images to look at");
  }
  if (!options.features.empty() && !absl::EndsWith(options.features, ".npy")) {
    return absl::InvalidArgumentError(
        absl::StrCat("--features=", options.features, ": must end in .npy"));
  }
  int64_t clusters = 0;
  if (options.clusters != "auto" &&
      (!absl::SimpleAtoi(options.clusters, &clusters) || clusters < 1 ||
       clusters > 65535)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clusters=", options.clusters,
                     ": must be auto, or a number from 1 to 65535"));
  }
  double threshold = 0;
  if (options.duplicates != "auto" &&
      (!absl::SimpleAtod(options.duplicates, &threshold) ||
       !(threshold > 0 && threshold <= 1))) {
    return absl::InvalidArgumentError(
        absl::StrCat("--duplicates=", options.duplicates,
                     ": must be auto, or a cosine above 0 and up to 1"));
  }
  return absl::OkStatus();
}

// What is known before anything is analyzed.
struct Inputs {
  FeatureTable table;
  std::unique_ptr<FileSource> source;  // null: no images, only features
  int64_t unreadable = 0;
  IndexInfo index;
  std::string made_by;  // for the page
};

template <typename Work>
auto Pass(const std::string& name, Work&& work) {
  PassProgress progress(StderrConsole(), name);
  auto result = work([&](int64_t done, int64_t all) {
    progress.Update(done, all);
    return Interrupted() == 0;
  });
  if (result.ok()) progress.Finish();
  return result;
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--output=", path, ": ", error.message()));
}

absl::StatusOr<Inputs> FromRun(const ExploreOptions& options) {
  GSG_ASSIGN_OR_RETURN(c10::Device device, ChooseDevice(options.device));
  const std::string checkpoint = NetworkPath(options);
  GSG_ASSIGN_OR_RETURN(SavedNetwork network, OpenNetwork(options, device));
  GSG_ASSIGN_OR_RETURN(
      ImageFiles files,
      ReadImages(options.images, static_cast<int>(network.channels())));
  ShowNotes(files.notes);
  Inputs inputs;
  inputs.source = std::move(files.source);
  ImageOptions image_options;
  image_options.image_size = options.image_size;
  const EvaluationOptions evaluation =
      EvaluationFor(image_options, network, *inputs.source);
  inputs.index.checkpoint = AbsolutePath(checkpoint);
  GSG_ASSIGN_OR_RETURN(inputs.index.checksum, ChecksumOf(checkpoint));
  inputs.index.image_size = evaluation.side;
  // Any number of damaged images is left out.
  DamagedImages damaged(/*max_share=*/1);
  absl::StatusOr<FeatureTable> table = Pass("features", [&](Watch watch) {
    return KeptFeatures(
        network,
        absl::StrCat(inputs.index.checkpoint, " ", FileStamp(checkpoint), " ",
                     evaluation.side),
        *inputs.source, evaluation, device,
        absl::StrCat(options.output, "/", kIndexFeatures), &damaged, watch);
  });
  WarnOfDamaged(damaged, 0);
  if (!table.ok()) return table.status();
  inputs.table = *std::move(table);
  inputs.unreadable = static_cast<int64_t>(damaged.list().size());
  inputs.index.released = !options.weights.empty();
  inputs.made_by = options.weights.empty()
                       ? absl::StrCat("the run ", RunFolder(options))
                       : options.weights;
  return inputs;
}

absl::StatusOr<Inputs> FromFile(const ExploreOptions& options) {
  Inputs inputs;
  GSG_ASSIGN_OR_RETURN(NpyRows rows, ReadNpy(options.features));
  GSG_ASSIGN_OR_RETURN(
      inputs.table.names,
      ReadNames(BesideNpy(options.features, ".txt"), rows.rows));
  inputs.table.width = rows.columns;
  inputs.table.values = std::move(rows.values);
  inputs.index.features = AbsolutePath(options.features);
  inputs.made_by = options.features;
  if (options.images.empty()) return inputs;
  GSG_ASSIGN_OR_RETURN(ImageFiles files, ReadImages(options.images, 3));
  inputs.source = std::move(files.source);
  return inputs;
}

// How the page, in `output`, names the folder `images` in an address.
std::string AddressOf(const std::string& images, const std::string& output) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::relative(
      std::filesystem::canonical(images, error), output, error);
  if (error || path.empty()) path = AbsolutePath(images);
  std::string address;
  for (const char c : path.string() + "/") {
    if (absl::ascii_isalnum(c) || absl::StrContains("/-._~", c)) {
      address.push_back(c);
    } else {
      absl::StrAppendFormat(&address, "%%%02X", static_cast<uint8_t>(c));
    }
  }
  return address;
}

absl::Status Write(const ExploreOptions& options, absl::string_view name,
                   const std::string& text) {
  return WriteFileAtomically(absl::StrCat(options.output, "/", name), text);
}

absl::StatusOr<Clusters> ClustersOf(const ExploreOptions& options,
                                    const UnitRows& rows,
                                    const Product& product) {
  int64_t k = 0;
  if (!absl::SimpleAtoi(options.clusters, &k)) {
    absl::StatusOr<int64_t> chosen = Pass("number of clusters", [&](Watch w) {
      return ChooseClusterCount(rows, {}, product, w);
    });
    if (!chosen.ok()) return chosen.status();
    k = *chosen;
  } else if (k > rows.n) {
    return absl::InvalidArgumentError(
        absl::StrCat("--clusters=", k, ": there are ", rows.n, " images only"));
  }
  return Pass("clusters", [&](Watch watch) {
    return FindClusters(rows, k, {}, product, watch);
  });
}

absl::StatusOr<Neighbors> NeighborsOf(const ExploreOptions& options,
                                      const UnitRows& rows, int64_t k,
                                      ThreadPool& threads,
                                      const std::string& pass) {
  const Product product = TorchProduct();
  if (options.neighbor_search == "exact" ||
      (options.neighbor_search == "auto" && rows.n <= kMostCompared)) {
    return Pass(pass, [&](Watch watch) {
      return FindNeighbors(rows, rows, k, /*themselves=*/true, product, threads,
                           watch);
    });
  }
  absl::StatusOr<Neighbors> neighbors = Pass(pass, [&](Watch watch) {
    return FindNeighborsByGraph(rows, k, {}, threads, watch);
  });
  if (!neighbors.ok()) return neighbors;
  const int64_t of = std::min(k, kRecallNeighbors);
  GSG_ASSIGN_OR_RETURN(
      const double recall,
      Recall(rows, *neighbors, of, kRecallQueries, product, threads));
  absl::FPrintF(stderr,
                "%s: approximate; of the %d nearest, %.1f %% are found (on %d "
                "images)\n",
                pass, of, 100 * recall, std::min(rows.n, kRecallQueries));
  return neighbors;
}

// answers->neighbors are there.
absl::Status AddDuplicates(const ExploreOptions& options, const Inputs& inputs,
                           const UnitRows& rows, ThreadPool& threads,
                           const std::vector<int64_t>& places,
                           Answers* answers) {
  const bool chosen = absl::SimpleAtod(options.duplicates, &answers->threshold);
  if (!chosen) {
    answers->threshold = DuplicateThreshold(
        answers->neighbors,
        inputs.source == nullptr ? kDeviationsUnseen : kDeviations);
  }
  std::vector<ProposedPairs> proposed = {
      {&answers->neighbors, answers->threshold}};
  if (inputs.source == nullptr) {
    answers->duplicates = FindDuplicates(rows, proposed, answers->threshold,
                                         [](int64_t, int64_t) { return true; });
    for (const DuplicateGroup& group : answers->duplicates) {
      answers->copies.emplace_back(group.members.size(), Copy::kUnknown);
      answers->copies.back()[0] = Copy::kFirst;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<Looks>> looks =
      Pass("small pictures", [&](Watch watch) {
        return LooksOfImages(*inputs.source, places, threads.concurrency(),
                             watch);
      });
  if (!looks.ok()) return looks.status();
  GSG_ASSIGN_OR_RETURN(const Neighbors alike,
                       NeighborsOf(options, TurnedRows(*looks), kAlikePictures,
                                   threads, "copies"));
  proposed.push_back({&alike, kAlikeProposed});
  // Pixels have the last word, unless a cosine is asked for.
  answers->duplicates = FindDuplicates(
      rows, proposed, chosen ? answers->threshold : -1,
      [&](int64_t first, int64_t candidate) {
        return Compare((*looks)[first], (*looks)[candidate]) != Alike::kNo;
      });
  GSG_ASSIGN_OR_RETURN(answers->copies,
                       CompareCopies(answers->duplicates, *inputs.source,
                                     places, *looks, threads));
  return absl::OkStatus();
}

absl::Status Analyze(const ExploreOptions& options, const Inputs& inputs,
                     const UnitRows& rows, ThreadPool& threads,
                     const std::vector<int64_t>& places, Answers* answers) {
  const Product product = TorchProduct();
  // Labels are voted on by more than the lists show: docs/explore.md.
  GSG_ASSIGN_OR_RETURN(
      const Neighbors neighbors,
      NeighborsOf(options, rows, std::max(options.neighbors, kVoters), threads,
                  "neighbors"));
  answers->neighbors = neighbors.First(options.neighbors);
  GSG_RETURN_IF_ERROR(Write(options, kNeighborsFile, NeighborsCsv(*answers)));

  GSG_RETURN_IF_ERROR(
      AddDuplicates(options, inputs, rows, threads, places, answers));
  GSG_RETURN_IF_ERROR(
      Write(options, "duplicates.csv", DuplicatesCsv(*answers)));

  answers->outliers = FindOutliers(answers->neighbors);
  GSG_RETURN_IF_ERROR(Write(options, "outliers.csv", OutliersCsv(*answers)));

  GSG_ASSIGN_OR_RETURN(answers->clusters, ClustersOf(options, rows, product));
  GSG_RETURN_IF_ERROR(Write(options, "clusters.csv", ClustersCsv(*answers)));

  if (options.labels != "none") {
    answers->folders =
        FindClassFolders(answers->names, options.labels == "folders");
    if (answers->folders.names.empty() && options.labels == "folders") {
      return absl::InvalidArgumentError(
          "--labels=folders: not every image lies in one of several folders "
          "below --images");
    }
  }
  std::error_code error;
  if (answers->folders.names.empty()) {
    // Of an earlier call.
    std::filesystem::remove(options.output + "/labels.csv", error);
  } else {
    GSG_ASSIGN_OR_RETURN(
        answers->labels,
        FindSuspiciousLabels(neighbors, answers->folders.labels,
                             answers->Groups()));
    GSG_RETURN_IF_ERROR(Write(options, "labels.csv", LabelsCsv(*answers)));
  }

  absl::StatusOr<std::vector<std::array<float, 2>>> map =
      Pass("map", [&](Watch watch) {
        return MapLayout(rows, answers->neighbors, {}, watch);
      });
  if (!map.ok()) return map.status();
  answers->map = *std::move(map);
  return absl::OkStatus();
}

absl::Status Explore(const ExploreOptions& options) {
  const CpuThreads cpu_threads(options.threads);
  const int thread_count = at::get_num_threads();
  GSG_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                       ThreadPool::Create(thread_count));
  ThreadPool& threads = *pool;
  GSG_RETURN_IF_ERROR(MakeFolder(options.output));
  CatchInterrupts();
  SetInterruptMessage("\nexplore: stops, and keeps what is finished ...\n");
  GSG_ASSIGN_OR_RETURN(Inputs inputs, options.features.empty()
                                          ? FromRun(options)
                                          : FromFile(options));
  Answers answers;
  answers.names = std::move(inputs.table.names);
  const auto n = static_cast<int64_t>(answers.names.size());
  if (n < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is ", n, " image with features; to compare takes at least 2"));
  }
  std::vector<double> mean;
  if (options.center) mean = MeanRow(inputs.table.values, inputs.table.width);
  GSG_ASSIGN_OR_RETURN(UnitRows rows, Normalize(std::move(inputs.table.values),
                                                inputs.table.width, mean));
  std::vector<int64_t> places;
  if (inputs.source != nullptr) {
    places = PlacesIn(*inputs.source, answers.names);
    const auto gone = std::count(places.begin(), places.end(), -1);
    if (gone == n) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--images=", options.images, " has none of the images that ",
          inputs.made_by, " has features of, e.g. ", answers.names[0]));
    }
    if (gone > 0) {
      absl::FPrintF(stderr, "warning: %d of %d images are not in %s\n", gone, n,
                    options.images);
    }
  }
  GSG_RETURN_IF_ERROR(
      Analyze(options, inputs, rows, threads, places, &answers));
  // The page takes memory of its own.
  std::vector<float>().swap(rows.values);
  inputs.index.images =
      options.images.empty() ? "" : AbsolutePath(options.images);
  inputs.index.center = options.center;
  GSG_RETURN_IF_ERROR(WriteIndexInfo(options.output, inputs.index));

  PageContext context;
  const std::filesystem::path shown(options.images.empty()
                                        ? BesideNpy(options.features, "")
                                        : AbsolutePath(options.images));
  context.title = shown.has_filename()
                      ? shown.filename().string()
                      : shown.parent_path().filename().string();
  context.note = absl::StrCat(
      "Features: ", inputs.made_by, ", ", rows.d, " numbers an image. ",
      absl::FormatTime("%Y-%m-%d %H:%M", absl::Now(), absl::LocalTimeZone()));
  context.unreadable = inputs.unreadable;
  if (inputs.source != nullptr) {
    // A browser finds no image in an archive.
    if (!IsShards(options.images)) {
      context.images = AddressOf(options.images, options.output);
    }
    context.thumbnail =
        static_cast<int>(options.thumbnail > 0 ? options.thumbnail
                         : n <= kFewThumbnails ? 96
                                               : 64);
    context.order = SheetOrder(answers);
    absl::StatusOr<std::vector<std::string>> sheets =
        Pass("thumbnails", [&](Watch watch) {
          return WriteSheets(*inputs.source, places, context.order,
                             context.thumbnail, thread_count, options.output,
                             watch);
        });
    if (!sheets.ok()) return sheets.status();
    context.sheets = *std::move(sheets);
  }
  for (std::string& name : answers.names) name = NameLine(name);
  GSG_RETURN_IF_ERROR(
      Write(options, "index.html", ExplorePage(answers, context)));
  for (const std::string& sentence : Summary(answers, inputs.unreadable)) {
    absl::PrintF("%s\n", sentence);
  }
  absl::PrintF("%s/index.html\n", options.output);
  return absl::OkStatus();
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  gsg::Program<gsg::ExploreOptions> program = {"explore", gsg::kIntroduction,
                                               gsg::Explore};
  program.memory_advice = gsg::kFewerThreads;
  gsg::Leave(gsg::ProgramMain(program, argc, argv));
}
