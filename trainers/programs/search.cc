// Finds the images that are most like others.

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "gsg_core/thread_pool.h"
#include "trainers/base/leave.h"
#include "trainers/config/field.h"
#include "trainers/config/paths.h"
#include "trainers/evaluate/device.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"
#include "trainers/explore/sheets.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"
#include "trainers/image/images.h"
#include "trainers/image/shards.h"
#include "trainers/programs/explore_index.h"
#include "trainers/programs/names_file.h"
#include "trainers/programs/npy_reader.h"
#include "trainers/programs/program.h"
#include "trainers/programs/run_options.h"
#include "trainers/programs/torch_product.h"
#include "trainers/report/html.h"
#include "trainers/report/page.h"
#include "trainers/run/saved_network.h"

namespace gsg {
namespace {

constexpr char kIntroduction[] =
    "search prints the images that are most like given ones, by the features "
    "that\nexplore left in its output folder: for each query a line a hit, its "
    "cosine and its\npath, nearest first.\n\n"
    "Examples:\n"
    "  search --index=answers --query=cat.jpg\n"
    "  search --index=answers --k=50 --html=hits.html a.jpg b.jpg\n"
    "  search --index=answers --query=shards/photos-000.tar/cat/1.jpg\n\n"
    "Where explore had --features instead of --run, a query is the name of an "
    "image\namong those.\n";

constexpr int kThumbnail = 160;

struct SearchOptions : ComputeOptions {
  std::string index;
  std::vector<std::string> queries;
  std::string query;
  int64_t k = 20;
  std::string html;
};

void ForEachField(SearchOptions& o, FieldVisitor visit) {
  constexpr absl::string_view kSearch = "Search";
  visit(&o.index,
        Field{"index", kSearch, "the --output folder of explore"}.Path());
  visit(&o.query, Field{"query", kSearch,
                        "image to find others like; more can be given behind "
                        "the flags"}
                      .Path());
  visit(&o.k, Field{"k", kSearch, "hits for each query"}.Between(1, 10000));
  visit(&o.html,
        Field{"html", kSearch, "page to write with the hits' pictures"}.Path());
  ForEachComputeField(o, visit);
}

absl::Status Validate(const SearchOptions& options) {
  if (options.index.empty()) {
    return absl::InvalidArgumentError(
        "--index=FOLDER is missing: the --output folder of explore");
  }
  if (options.query.empty() && options.queries.empty()) {
    return absl::InvalidArgumentError(
        "--query=IMAGE is missing: what to find others like");
  }
  return absl::OkStatus();
}

struct Index {
  IndexInfo info;
  std::vector<std::string> names;
  int64_t width = 0;
  std::vector<float> values;
};

absl::StatusOr<Index> ReadIndex(const std::string& folder) {
  Index index;
  GSG_ASSIGN_OR_RETURN(index.info, ReadIndexInfo(folder));
  const std::string features = index.info.features.empty()
                                   ? absl::StrCat(folder, "/", kIndexFeatures)
                                   : index.info.features;
  GSG_ASSIGN_OR_RETURN(NpyRows rows, ReadNpy(features));
  GSG_ASSIGN_OR_RETURN(index.names,
                       ReadNames(BesideNpy(features, ".txt"), rows.rows));
  index.width = rows.columns;
  index.values = std::move(rows.values);
  return index;
}

// The features of an image, or why there are none.
using FeaturesOfQuery =
    std::function<absl::StatusOr<std::vector<float>>(const std::string& query)>;

absl::StatusOr<std::vector<float>> ByNetwork(
    const SavedNetwork& network, const EvaluationOptions& evaluation,
    c10::Device device, const std::string& query) {
  GSG_ASSIGN_OR_RETURN(const ImageFiles files,
                       ReadImages(query, static_cast<int>(network.channels())));
  if (files.source->size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--query=", query, " has ", files.source->size(),
                     " images; give one, such as ", files.source->name(0)));
  }
  DamagedImages damaged(/*max_share=*/1);
  EvaluationImages images(files.source.get(), evaluation, &damaged);
  EvaluationBatch batch;
  const absl::Status status = images.Read({0}, &batch);
  if (!damaged.list().empty()) {
    return absl::DataLossError(
        absl::StrCat(query, ": ", damaged.list()[0].reason));
  }
  GSG_RETURN_IF_ERROR(status);
  const ImageSize size = images.size();
  GSG_RETURN_IF_ERROR(
      network.backbone->CheckImageSize(size.height, size.width));
  const at::Tensor row =
      FeaturesOfBatch(*network.backbone, images, batch, device).cpu();
  const float* begin = row.const_data_ptr<float>();
  return std::vector<float>(begin, begin + row.numel());
}

using Places = std::unordered_map<absl::string_view, size_t>;

// In the index, whose memory the names are.
Places PlacesOf(const Index& index) {
  Places places;
  for (size_t i = 0; i < index.names.size(); ++i) places[index.names[i]] = i;
  return places;
}

// Of a query that is an image of the index. `otherwise` ends the message if it
// is none.
absl::StatusOr<std::vector<float>> ByName(const Index& index,
                                          const Places& places,
                                          const std::string& query,
                                          absl::string_view otherwise) {
  const std::string& images = index.info.images;
  const std::string below_images =
      IsShards(images) ? FolderOfShards(images) : images;
  auto place = places.find(query);
  // As the user sees it, and as --query resolves it.
  for (const std::string& folder : {below_images, UserPath(".")}) {
    if (place != places.end() || folder.empty()) continue;
    place = places.find(std::filesystem::path(AbsolutePath(query))
                            .lexically_relative(AbsolutePath(folder))
                            .string());
  }
  if (place == places.end()) {
    return absl::NotFoundError(absl::StrCat(
        "--query=", query, " is not among the ", index.names.size(),
        " images of the index, e.g. ", index.names[0], "; ", otherwise));
  }
  const auto begin =
      index.values.begin() + static_cast<int64_t>(place->second) * index.width;
  return std::vector<float>(begin, begin + index.width);
}

// By the index's network, or by the name in the index where there is no such
// file.
absl::StatusOr<FeaturesOfQuery> NetworkOf(const SearchOptions& options,
                                          const Index& index) {
  const IndexInfo& info = index.info;
  GSG_ASSIGN_OR_RETURN(c10::Device device, ChooseDevice(options.device));
  GSG_RETURN_IF_ERROR(CheckSameNetwork(info));
  GSG_ASSIGN_OR_RETURN(SavedNetwork network,
                       info.released
                           ? LoadReleasedNetwork(info.checkpoint, device)
                           : LoadNetwork(info.checkpoint, device));
  if (network.backbone->feature_dim() != index.width) {
    return absl::FailedPreconditionError(
        absl::StrCat("the network in ", info.checkpoint,
                     " has features of another width than the index; run "
                     "explore again"));
  }
  EvaluationOptions evaluation;
  evaluation.side = info.image_size;
  evaluation.stats = network.stats();
  return
      [&index, places = PlacesOf(index), network = std::move(network),
       evaluation = std::move(evaluation), device](const std::string& query) {
        auto row = ByNetwork(network, evaluation, device, query);
        if (!absl::IsNotFound(row.status())) return row;
        return ByName(index, places, query, "nor is there such a file");
      };
}

FeaturesOfQuery NamesOf(const Index& index) {
  return [&index, places = PlacesOf(index)](const std::string& query) {
    return ByName(index, places, query,
                  "others can be searched for where explore had --run");
  };
}

constexpr absl::string_view kMissing = "<p>not readable</p>";

// An <img> of a picture, or kMissing where it cannot be read.
std::string PictureHtml(const ImageSource& source, int64_t index) {
  EvaluationOptions options;
  options.side = kThumbnail;
  DamagedImages damaged(/*max_share=*/1);
  EvaluationImages images(&source, options, &damaged);
  EvaluationBatch batch;
  if (!images.Read({index}, &batch).ok() || batch.indices.empty()) {
    return std::string(kMissing);
  }
  std::vector<uint8_t> rgb;
  constexpr int kPlane = kThumbnail * kThumbnail;
  for (int i = 0; i < kPlane; ++i) {
    for (int c = 0; c < 3; ++c) {
      rgb.push_back(static_cast<uint8_t>(
          std::lround(255 * batch.pixels[c * kPlane + i])));
    }
  }
  const absl::StatusOr<std::string> file =
      EncodeJpegFile(rgb, kThumbnail, kThumbnail);
  if (!file.ok()) return std::string(kMissing);
  return absl::StrCat("<img src=\"data:image/jpeg;base64,",
                      absl::Base64Escape(*file), "\" alt=\"\">");
}

std::string PictureHtml(const std::string& path) {
  const absl::StatusOr<ImageFiles> files = ReadImages(path, 3);
  if (!files.ok() || files->source->size() != 1) return std::string(kMissing);
  return PictureHtml(*files->source, 0);
}

// The pictures of an index's images, by their names.
class IndexPictures {
 public:
  // images: the folder or archives; empty: there are no pictures.
  explicit IndexPictures(const std::string& images) : images_(images) {
    // Each image of a folder is opened by its path. Archives have to be read.
    if (!IsShards(images)) return;
    absl::StatusOr<ImageFiles> files = ReadImages(images, 3);
    if (!files.ok()) return;
    source_ = std::move(files->source);
    for (int64_t i = 0; i < source_->size(); ++i) {
      places_[source_->name(i)] = i;
    }
  }

  std::string Html(const std::string& name) const {
    if (images_.empty()) return "";
    if (source_ == nullptr) {
      return PictureHtml(absl::StrCat(images_, "/", name));
    }
    const auto place = places_.find(name);
    return place == places_.end() ? std::string(kMissing)
                                  : PictureHtml(*source_, place->second);
  }

 private:
  const std::string images_;
  std::unique_ptr<ImageSource> source_;  // of archives
  std::unordered_map<std::string, int64_t> places_;
};

std::string HitsPage(const Index& index,
                     const std::vector<std::string>& queries,
                     const Neighbors& hits) {
  const IndexPictures pictures(index.info.images);
  std::string body;
  for (int64_t q = 0; q < hits.n; ++q) {
    absl::StrAppend(&body,
                    "<section><div class=\"row\"><figure class=\"picture "
                    "query\">",
                    PictureHtml(queries[q]), "<figcaption>",
                    EscapeHtml(queries[q]), "</figcaption></figure><div>");
    for (int64_t k = 0; k < hits.k; ++k) {
      const std::string& name = index.names[hits.of(q)[k]];
      absl::StrAppend(&body, "<figure class=\"picture\">", pictures.Html(name),
                      "<figcaption>",
                      absl::StrFormat("%.4f ", hits.cosines_of(q)[k]),
                      EscapeHtml(name), "</figcaption></figure>");
    }
    body += "</div></div></section>\n";
  }
  return Page("Most alike",
              absl::StrCat("<p class=\"lead\">Among ", index.names.size(),
                           " images, by the cosine of their features.</p>"),
              body);
}

absl::Status Search(const SearchOptions& options) {
  const CpuThreads cpu_threads(options.threads);
  std::vector<std::string> queries = options.queries;
  if (!options.query.empty()) queries.insert(queries.begin(), options.query);
  GSG_ASSIGN_OR_RETURN(Index index, ReadIndex(options.index));
  FeaturesOfQuery features_of;
  if (index.info.checkpoint.empty()) {
    features_of = NamesOf(index);
  } else {
    GSG_ASSIGN_OR_RETURN(features_of, NetworkOf(options, index));
  }
  // One that has no features takes nothing from the others.
  const size_t asked = queries.size();
  std::vector<std::string> good;
  std::vector<float> values;
  for (const std::string& query : queries) {
    const absl::StatusOr<std::vector<float>> row = features_of(query);
    if (row.ok()) {
      values.insert(values.end(), row->begin(), row->end());
      good.push_back(query);
    } else if (asked == 1) {
      return row.status();
    } else {
      Complain("search", row.status(), 1);
    }
  }
  const absl::Status ended =
      good.size() == asked
          ? absl::OkStatus()
          : absl::DataLossError(absl::StrCat(asked - good.size(), " of ", asked,
                                             " images have no answer"));
  if (good.empty()) return ended;
  std::vector<double> mean;
  if (index.info.center) mean = MeanRow(index.values, index.width);
  GSG_ASSIGN_OR_RETURN(const UnitRows bank,
                       Normalize(std::move(index.values), index.width, mean));
  GSG_ASSIGN_OR_RETURN(const UnitRows rows,
                       Normalize(std::move(values), index.width, mean));
  GSG_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> threads,
                       ThreadPool::Create(at::get_num_threads()));
  GSG_ASSIGN_OR_RETURN(
      const Neighbors hits,
      FindNeighbors(bank, rows, options.k, /*themselves=*/false, TorchProduct(),
                    *threads, NoWatch));
  for (int64_t q = 0; q < hits.n; ++q) {
    if (asked > 1) absl::PrintF("%s\n", NameLine(good[q]));
    for (int64_t k = 0; k < hits.k; ++k) {
      absl::PrintF("%7.4f  %s\n", hits.cosines_of(q)[k],
                   NameLine(index.names[hits.of(q)[k]]));
    }
  }
  if (!options.html.empty()) {
    GSG_RETURN_IF_ERROR(WritePage(options.html, HitsPage(index, good, hits)));
  }
  return ended;
}

}  // namespace
}  // namespace gsg

int main(int argc, char** argv) {
  const gsg::Program<gsg::SearchOptions> program = {
      "search",     gsg::kIntroduction,
      gsg::Search,  &gsg::SearchOptions::queries,
      "[IMAGE...]", gsg::kFewerThreads};
  gsg::Leave(gsg::ProgramMain(program, argc, argv));
}
