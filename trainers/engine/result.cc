#include "trainers/engine/result.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "trainers/checkpoint/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/values.h"
#include "trainers/data/dataset.h"
#include "trainers/data/image_set.h"
#include "trainers/engine/run_directory.h"
#include "trainers/engine/run_state.h"
#include "trainers/engine/scores.h"
#include "trainers/evaluate/knn.h"
#include "trainers/metrics/epoch_record.h"
#include "trainers/report/report.h"
#include "trainers/report/tsne.h"

namespace gsg {
namespace {

constexpr int64_t kQueries = 12;
constexpr int64_t kNeighbors = 10;
constexpr int64_t kMapPoints = 1000;

LabeledPicture PictureOf(const ImageSet& images, int64_t index) {
  LabeledPicture result;
  result.label = images.labels[index];
  Picture& picture = result.picture;
  picture.width = static_cast<int>(images.width);
  picture.height = static_cast<int>(images.height);
  picture.channels = static_cast<int>(images.channels);
  const int64_t plane = images.width * images.height;
  const uint8_t* planes =
      images.pixels.data() + index * images.channels * plane;
  for (int64_t k = 0; k < plane; ++k) {
    for (int64_t c = 0; c < images.channels; ++c) {
      picture.pixels.push_back(planes[c * plane + k]);
    }
  }
  return result;
}

// Test images of as many classes as possible: the first of each, in order.
std::vector<int64_t> OneOfEachClass(const ImageSet& images) {
  std::vector<int64_t> picked;
  std::vector<int32_t> seen;
  for (int64_t i = 0; i < images.count; ++i) {
    if (static_cast<int64_t>(picked.size()) == kQueries) break;
    if (std::find(seen.begin(), seen.end(), images.labels[i]) != seen.end()) {
      continue;
    }
    seen.push_back(images.labels[i]);
    picked.push_back(i);
  }
  return picked;
}

absl::StatusOr<std::vector<NeighborRow>> Neighbors(
    const Dataset& dataset, const FeaturePair& features) {
  std::vector<NeighborRow> rows;
  for (const int64_t query : OneOfEachClass(dataset.test)) {
    absl::StatusOr<at::Tensor> nearest = NearestNeighbors(
        features.train, features.test.narrow(0, query, 1), kNeighbors);
    if (!nearest.ok()) return nearest.status();
    NeighborRow row;
    row.query = PictureOf(dataset.test, query);
    for (int64_t k = 0; k < nearest->size(1); ++k) {
      row.neighbors.push_back(
          PictureOf(dataset.train, nearest->const_data_ptr<int64_t>()[k]));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<std::vector<MapPoint>> Map(const Dataset& dataset,
                                          const at::Tensor& test_features) {
  const int64_t n = std::min(kMapPoints, test_features.size(0));
  const at::Tensor rows = test_features.narrow(0, 0, n);
  // On the unit sphere, where k-NN measures too.
  const at::Tensor unit =
      rows.div(at::linalg_vector_norm(rows, 2, at::IntArrayRef({1}), true)
                   .clamp_min(1e-12))
          .contiguous();
  TsneOptions options;
  options.perplexity = std::min(options.perplexity, (n - 1) / 3.0);
  absl::StatusOr<std::vector<std::array<float, 2>>> layout =
      Tsne(absl::MakeConstSpan(unit.const_data_ptr<float>(), unit.numel()), n,
           unit.size(1), options);
  if (!layout.ok()) return layout.status();
  std::vector<MapPoint> map;
  for (int64_t i = 0; i < n; ++i) {
    map.push_back({(*layout)[i][0], (*layout)[i][1], dataset.test.labels[i]});
  }
  return map;
}

Score ToScore(const std::string& name, const Scores& scores) {
  return {name, scores.knn_top1, scores.linear_top1};
}

std::string Cell(double percent) {
  return std::isnan(percent) ? "-" : absl::StrFormat("%.2f", percent);
}

std::string ScoresJson(const Scores& scores) {
  const auto number = [](double value) {
    return std::isnan(value) ? std::string("null") : ValueText(value);
  };
  return absl::StrCat("{\"knn_top1\": ", number(scores.knn_top1),
                      ", \"linear_top1\": ", number(scores.linear_top1), "}");
}

}  // namespace

std::string ScoreTable(const RunState& state, const Scores& trained) {
  std::string table =
      absl::StrFormat("%-20s %12s %14s\n", "", "k-NN top-1", "linear top-1");
  const auto row = [&](const char* name, const Scores& scores) {
    absl::StrAppendFormat(&table, "%-20s %12s %14s\n", name,
                          Cell(scores.knn_top1), Cell(scores.linear_top1));
  };
  row("raw pixels", state.raw_pixels);
  row("untrained network", state.untrained);
  row("trained network", trained);
  return table;
}

absl::Status WriteResult(const Config& config, const Dataset& dataset,
                         const RunState& state, const Scores& trained,
                         const FeaturePair& features) {
  const std::string json = absl::StrCat(
      "{\n  \"epochs\": ", state.epoch, ",\n  \"steps\": ", state.step,
      ",\n  \"raw_pixels\": ", ScoresJson(state.raw_pixels),
      ",\n  \"untrained\": ", ScoresJson(state.untrained),
      ",\n  \"trained\": ", ScoresJson(trained), "\n}\n");
  if (absl::Status s = WriteFileAtomically(
          absl::StrCat(config.output_dir, "/", kResultFile), json);
      !s.ok()) {
    return s;
  }

  ReportData data;
  data.title = absl::StrCat(config.method, " on ", dataset.name);
  data.trained = ToScore("trained network", trained);
  data.baselines = {ToScore("raw pixels", state.raw_pixels),
                    ToScore("untrained network", state.untrained)};
  data.epochs = state.history;
  double seconds = 0;
  for (const EpochRecord& record : state.history) seconds += record.seconds;
  absl::StatusOr<std::vector<NeighborRow>> neighbors =
      Neighbors(dataset, features);
  if (!neighbors.ok()) return neighbors.status();
  data.neighbors = *std::move(neighbors);
  absl::StatusOr<std::vector<MapPoint>> map = Map(dataset, features.test);
  if (!map.ok()) return map.status();
  data.map = *std::move(map);
  data.classes = dataset.classes;
  data.summary = {
      {"training images", absl::StrCat(dataset.train.count)},
      {"test images", absl::StrCat(dataset.test.count)},
      {"feature dimensions", absl::StrCat(features.test.size(1))},
      {"optimiser steps", absl::StrCat(state.step)},
      {"training time", absl::StrFormat("%.0f s", seconds)},
  };
  VisitFields(config, [&](const auto& value, const Field& field) {
    data.config.emplace_back(std::string(field.name), ValueText(value));
  });
  return WriteReport(absl::StrCat(config.output_dir, "/", kReportFile), data);
}

}  // namespace gsg
