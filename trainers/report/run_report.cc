#include "trainers/report/run_report.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/format.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/recipes.h"
#include "trainers/config/values.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/evaluate/knn.h"
#include "trainers/evaluate/scores.h"
#include "trainers/explore/clusters.h"
#include "trainers/explore/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_source.h"
#include "trainers/report/picture.h"
#include "trainers/report/report.h"
#include "trainers/report/scatter.h"
#include "trainers/report/tsne.h"
#include "trainers/report/verdict.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

constexpr int64_t kQueries = 12;
constexpr int64_t kNeighbors = 10;
constexpr int64_t kMapPoints = 1000;
constexpr int64_t kPictureSide = 64;
constexpr int64_t kClustered = 3000;  // images from which clusters are made

// Images as small pictures: at their own size if they have one, or else cut
// to squares.
class Pictures {
 public:
  explicit Pictures(const ImageSource* source)
      : source_(*source),
        damaged_(1),
        images_(source, Options(*source), &damaged_) {}

  // Of an image that could be read before.
  absl::StatusOr<LabeledPicture> Get(int64_t index) {
    GSG_RETURN_IF_ERROR(images_.Read({index}, &batch_));
    if (batch_.indices.empty()) {
      return absl::DataLossError(absl::StrCat(
          source_.name(index),
          " can no longer be read: ", damaged_.list().back().reason));
    }
    LabeledPicture result;
    if (!source_.labels().empty()) result.label = source_.labels()[index];
    // Of images that are files; others have no name of their own.
    if (source_.fixed_size().height == 0) result.name = source_.name(index);
    Picture& picture = result.picture;
    picture.width = images_.size().width;
    picture.height = images_.size().height;
    picture.channels = images_.channels() < 3 ? 1 : 3;
    const int plane = picture.width * picture.height;
    for (int k = 0; k < plane; ++k) {
      for (int c = 0; c < picture.channels; ++c) {
        picture.pixels.push_back(static_cast<uint8_t>(
            std::lround(batch_.pixels[c * plane + k] * 255)));
      }
    }
    return result;
  }

 private:
  static EvaluationOptions Options(const ImageSource& source) {
    EvaluationOptions options;
    options.side = EvaluationSide(source, kPictureSide);
    options.brighten = true;
    return options;
  }

  const ImageSource& source_;
  DamagedImages damaged_;
  EvaluationImages images_;
  EvaluationBatch batch_;
};

// Where there are no labels: the clusters of the training images' features, as
// explore finds them.
absl::StatusOr<Clusters> ClustersOf(const Features& features) {
  const at::Tensor rows = features.rows.contiguous();
  const absl::Span<const float> values =
      absl::MakeConstSpan(rows.const_data_ptr<float>(), rows.numel());
  const int64_t d = rows.size(1);
  GSG_ASSIGN_OR_RETURN(
      const UnitRows unit,
      Normalize(std::vector<float>(values.begin(), values.end()), d,
                MeanRow(values, d)));
  ClusterOptions options;
  options.starts = 2;
  options.iterations = 20;
  options.sample = kClustered;
  GSG_ASSIGN_OR_RETURN(
      const int64_t k,
      ChooseClusterCount(unit, options, EigenProduct, NoWatch));
  return FindClusters(unit, k, options, EigenProduct, NoWatch);
}

// Rows whose pictures ask for their neighbors: the first of as many classes
// as possible, or, where there are none, rows at even distances.
std::vector<int64_t> Queries(const Features& features) {
  if (!features.labels.defined()) {
    return EvenlySpaced(features.rows.size(0),
                        std::min(kQueries, features.rows.size(0)));
  }
  std::vector<int64_t> picked;
  std::set<int64_t> seen;
  const int64_t* labels = features.labels.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < features.labels.size(0); ++i) {
    if (static_cast<int64_t>(picked.size()) == kQueries) break;
    if (seen.insert(labels[i]).second) picked.push_back(i);
  }
  return picked;
}

// clusters: of the training images, where they have no labels; or empty.
absl::StatusOr<std::vector<NeighborRow>> Neighbors(
    const Dataset& dataset, const FeaturePair& features,
    const std::vector<int32_t>& clusters) {
  const bool among_themselves = !dataset.labeled();
  const Features& asking = among_themselves ? features.train : features.test;
  Pictures queries(among_themselves ? dataset.train.get() : dataset.test.get());
  Pictures bank(dataset.train.get());
  std::vector<NeighborRow> rows;
  for (const int64_t query : Queries(asking)) {
    GSG_ASSIGN_OR_RETURN(
        at::Tensor nearest,
        NearestNeighbors(features.train.rows, asking.rows.narrow(0, query, 1),
                         kNeighbors + (among_themselves ? 1 : 0)));
    NeighborRow row;
    absl::StatusOr<LabeledPicture> picture = queries.Get(asking.indices[query]);
    if (!picture.ok()) return picture.status();
    row.query = *std::move(picture);
    if (!clusters.empty()) row.query.label = clusters[query];
    for (int64_t k = 0; k < nearest.size(1); ++k) {
      const int64_t neighbor = nearest.const_data_ptr<int64_t>()[k];
      const bool itself = among_themselves && neighbor == query;
      if (itself || static_cast<int64_t>(row.neighbors.size()) == kNeighbors) {
        continue;
      }
      picture = bank.Get(features.train.indices[neighbor]);
      if (!picture.ok()) return picture.status();
      row.neighbors.push_back(*std::move(picture));
      if (!clusters.empty()) row.neighbors.back().label = clusters[neighbor];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<MapPoint>> Map(
    const Features& features, const std::vector<int32_t>& clusters) {
  const std::vector<int64_t> picked =
      EvenlySpaced(features.rows.size(0), kMapPoints);
  const int64_t n = picked.size();
  const at::Tensor rows =
      features.rows.index_select(0, at::tensor(picked, at::kLong));
  // On the unit sphere, where k-NN measures too.
  const at::Tensor unit =
      rows.div(at::linalg_vector_norm(rows, 2, at::IntArrayRef({1}), true)
                   .clamp_min(1e-12))
          .contiguous();
  TsneOptions options;
  // A third of so few would not be neighbors: no map.
  if (n < 8) return std::vector<MapPoint>();
  options.perplexity = std::min(options.perplexity, (n - 1) / 3.0);
  absl::StatusOr<std::vector<std::array<float, 2>>> layout =
      Tsne(absl::MakeConstSpan(unit.const_data_ptr<float>(), unit.numel()), n,
           unit.size(1), options);
  if (!layout.ok()) return layout.status();
  std::vector<MapPoint> map;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t label =
        features.labels.defined()
            ? features.labels.const_data_ptr<int64_t>()[picked[i]]
            : clusters[picked[i]];
    map.push_back({(*layout)[i][0], (*layout)[i][1], label});
  }
  return map;
}

Score ToScore(const std::string& name, const Scores& scores) {
  return {name, scores.knn_top1, scores.linear_top1};
}

std::string Cell(double percent) {
  return std::isnan(percent) ? "-" : absl::StrFormat("%.2f", percent);
}

}  // namespace

std::string ScoreTable(const Config& config, const RunState& state,
                       const Scores& trained) {
  const bool linear = config.linear_probe;
  std::string table = absl::StrFormat("%-20s %12s%s\n", "", "k-NN top-1",
                                      linear ? "   linear top-1" : "");
  const auto row = [&](const std::string& name, const Scores& scores) {
    absl::StrAppendFormat(&table, "%-20s %12s", name, Cell(scores.knn_top1));
    if (linear)
      absl::StrAppendFormat(&table, " %14s", Cell(scores.linear_top1));
    table += "\n";
  };
  if (!std::isnan(state.untrained.knn_top1)) {  // with --baselines
    row("raw pixels", state.raw_pixels);
    row(StartName(config), state.untrained);
  }
  row("trained network", trained);
  if (const auto plain = RecordedPlainSimSiam(config)) {
    Scores scores;
    scores.knn_top1 = plain->knn_top1;
    scores.linear_top1 = plain->linear_top1;
    row("plain SimSiam *", scores);
    absl::StrAppend(&table,
                    "* recorded: this recipe without guiding, seed 0\n");
  }
  return table;
}

absl::Status WriteResult(const Config& config, const Dataset& dataset,
                         const RunState& state, const Scores& trained,
                         const FeaturePair& features,
                         const DamagedImages& damaged) {
  GSG_RETURN_IF_ERROR(
      WriteFileAtomically(absl::StrCat(config.output_dir, "/", kResultFile),
                          ResultToJson(state, trained, damaged.list().size())));

  ReportData data;
  const std::filesystem::path folder =
      std::filesystem::path(config.output_dir + "/").lexically_normal();
  const std::string run = folder.parent_path().filename().string();
  // What images of a folder are called: by that folder.
  const std::filesystem::path images =
      config.data_list.empty()
          ? std::filesystem::path(config.data_dir + "/").lexically_normal()
          : std::filesystem::path(config.data_list + "/").lexically_normal();
  const std::string images_name = config.dataset == "folder"
                                      ? images.parent_path().filename().string()
                                      : dataset.name;
  data.title = absl::StrCat(run, ": ", config.method, " on ", images_name);
  const Worked worked = WhetherItWorked(
      config, state, trained, dataset.labeled() ? dataset.classes.size() : 0);
  if (!worked.words.empty()) data.words.push_back(worked.words);
  data.words.push_back(
      "Next, look at what is in the images, measure the features, or use "
      "them, by these commands:");
  // Without the line above them.
  for (const absl::string_view line : absl::StrSplit(
           NextCommands(config, state.epoch, dataset.labeled()), '\n')) {
    if (absl::StartsWith(line, "  ")) {
      absl::StrAppend(&data.commands, line.substr(2), "\n");
    }
  }
  data.after_commands = absl::StrCat(
      worked.paid ? "If that is not good enough: " : "To do better: ",
      Advice(config));
  data.trained = ToScore("trained network", trained);
  data.baselines = {ToScore("raw pixels", state.raw_pixels),
                    ToScore(StartName(config), state.untrained)};
  data.epochs = state.history;
  double seconds = 0;
  for (const EpochRecord& record : state.history) seconds += record.seconds;
  Clusters clusters;
  if (!dataset.labeled()) {
    GSG_ASSIGN_OR_RETURN(clusters, ClustersOf(features.train));
  }
  GSG_ASSIGN_OR_RETURN(std::vector<NeighborRow> neighbors,
                       Neighbors(dataset, features, clusters.cluster));
  data.neighbors = std::move(neighbors);
  GSG_ASSIGN_OR_RETURN(std::vector<MapPoint> map,
                       Map(dataset.labeled() ? features.test : features.train,
                           clusters.cluster));
  data.map = std::move(map);
  data.classes = dataset.classes;
  data.clustered = !dataset.labeled();
  for (int64_t c = 1; c <= clusters.k; ++c) {
    data.classes.push_back(absl::StrCat("cluster ", c));
  }
  const int64_t test_images =
      dataset.test == nullptr ? 0 : dataset.test->size();
  const auto part = [](int64_t used, int64_t all, absl::string_view which) {
    return used == 0 || used >= all
               ? std::string()
               : absl::StrCat(GroupedNumber(static_cast<double>(used)),
                              " of the ", which, " images");
  };
  const std::string queries = part(config.knn_queries, test_images, "test");
  const std::string bank =
      part(config.knn_bank, dataset.train->size(), "training");
  data.watched = absl::StrCat(!queries.empty() ? queries
                              : bank.empty()   ? ""
                                               : "the test images",
                              bank.empty() ? "" : " among ", bank);
  data.summary = {
      {"run", config.output_dir},
      {"images", !config.data_list.empty() ? config.data_list
                 : config.data_dir.empty() ? dataset.name
                                           : config.data_dir},
      {"finished",
       absl::FormatTime("%Y-%m-%d %H:%M", absl::Now(), absl::LocalTimeZone())},
      {"training images", absl::StrCat(dataset.train->size())},
      {"damaged images", absl::StrCat(damaged.list().size())},
      {"feature dimensions", absl::StrCat(features.train.rows.size(1))},
      {"batches", absl::StrCat(state.step)},
      {"training time", absl::StrFormat("%.0f s", seconds)},
  };
  if (dataset.labeled()) {
    data.summary.emplace_back("test images", absl::StrCat(test_images));
  }
  VisitFields(config, [&](const auto& value, const Field& field) {
    data.config.emplace_back(std::string(field.name), ValueText(value));
  });
  return WriteReport(absl::StrCat(config.output_dir, "/", kReportFile), data);
}

}  // namespace gsg
