#include "trainers/programs/image_features.h"

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/base/sealed_file.h"
#include "trainers/evaluate/evaluation_images.h"
#include "trainers/evaluate/features.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/file_source.h"
#include "trainers/image/image.h"
#include "trainers/programs/names_file.h"
#include "trainers/programs/npy_reader.h"
#include "trainers/programs/npy_writer.h"
#include "trainers/run/saved_network.h"

namespace gsg {
namespace {

constexpr absl::Duration kSaveEvery = absl::Minutes(1);

// What is kept of an earlier call.
struct Cache {
  std::vector<std::string> names;
  std::vector<std::string> stamps;
  std::vector<float> values;  // [names.size(), width]
};

uint32_t Checksum(absl::Span<const float> values, uint32_t before) {
  return static_cast<uint32_t>(absl::ExtendCrc32c(
      absl::crc32c_t(before),
      absl::string_view(reinterpret_cast<const char*>(values.data()),
                        values.size() * sizeof(float))));
}

// What was kept, or nothing: it can be made again whatever is wrong with it.
Cache Load(const std::string& path, const std::string& network_stamp,
           int64_t width) {
  const absl::StatusOr<std::string> text =
      ReadFile(BesideNpy(path, ".cache.json"));
  if (!text.ok()) return {};
  const absl::StatusOr<Json> json = ParseJson(*text);
  if (!json.ok() || !json->is_object()) return {};
  absl::StatusOr<NpyRows> features = ReadNpy(path);
  if (!features.ok() || features->columns != width) return {};
  const Json expected = {{"network", network_stamp},
                         {"checksum", Checksum(features->values, 0)}};
  for (const auto& [key, value] : expected.items()) {
    if (!json->contains(key) || (*json)[key] != value) return {};
  }
  absl::StatusOr<std::vector<std::string>> names =
      ReadNames(BesideNpy(path, ".txt"), features->rows);
  const auto stamps = json->find("files");
  if (!names.ok() || stamps == json->end() || !stamps->is_array() ||
      static_cast<int64_t>(stamps->size()) != features->rows) {
    return {};
  }
  Cache cache;
  for (const Json& stamp : *stamps) {
    if (!stamp.is_string()) return {};
    cache.stamps.push_back(stamp.get<std::string>());
  }
  cache.names = *std::move(names);
  cache.values = std::move(features->values);
  return cache;
}

// The rows of a source's images, in its order, as far as they are there.
struct Table {
  std::vector<std::string> names;   // [n]
  std::vector<std::string> stamps;  // [n]
  std::vector<bool> there;          // [n]
  int64_t width = 0;
  std::vector<float> values;  // [n, width]

  float* row(int64_t i) { return values.data() + i * width; }
  absl::Span<const float> span(int64_t i) const {
    return absl::MakeConstSpan(values).subspan(i * width, width);
  }
  int64_t count() const { return std::count(there.begin(), there.end(), true); }

  void Take(Cache cache) {
    if (cache.names == names) {
      values = std::move(cache.values);
      for (size_t i = 0; i < names.size(); ++i) {
        there[i] = cache.stamps[i] == stamps[i] && !stamps[i].empty();
      }
      return;
    }
    values.resize(names.size() * width);
    std::unordered_map<absl::string_view, size_t> places;
    for (size_t i = 0; i < names.size(); ++i) places[names[i]] = i;
    for (size_t c = 0; c < cache.names.size(); ++c) {
      const auto place = places.find(cache.names[c]);
      if (place == places.end()) continue;
      const size_t i = place->second;
      there[i] = cache.stamps[c] == stamps[i] && !stamps[i].empty();
      std::copy_n(cache.values.begin() + c * width, width,
                  row(static_cast<int64_t>(i)));
    }
  }

  absl::Status Save(const std::string& network_stamp,
                    const std::string& path) const {
    if (count() == 0) return absl::OkStatus();
    GSG_ASSIGN_OR_RETURN(
        std::unique_ptr<NpyWriter> writer,
        NpyWriter::Create(path, NpyWriter::Type::kFloat32, width));
    std::string lines;
    uint32_t checksum = 0;
    Json files = Json::array();
    for (size_t i = 0; i < names.size(); ++i) {
      if (!there[i]) continue;
      const absl::Span<const float> values_of = span(static_cast<int64_t>(i));
      GSG_RETURN_IF_ERROR(writer->Append(values_of));
      checksum = Checksum(values_of, checksum);
      absl::StrAppend(&lines, NameLine(names[i]), "\n");
      files.push_back(stamps[i]);
    }
    GSG_RETURN_IF_ERROR(writer->Finish());
    GSG_RETURN_IF_ERROR(WriteFileAtomically(BesideNpy(path, ".txt"), lines));
    const Json cache = {
        {"network", network_stamp}, {"checksum", checksum}, {"files", files}};
    return WriteFileAtomically(BesideNpy(path, ".cache.json"), JsonText(cache));
  }
};

}  // namespace

absl::StatusOr<FeatureTable> KeptFeatures(const SavedNetwork& network,
                                          const std::string& network_stamp,
                                          const FileSource& source,
                                          const EvaluationOptions& options,
                                          c10::Device device,
                                          const std::string& path,
                                          DamagedImages* damaged, Watch watch) {
  EvaluationImages images(&source, options, damaged);
  const ImageSize size = images.size();
  GSG_RETURN_IF_ERROR(
      network.backbone->CheckImageSize(size.height, size.width));
  const int64_t width = network.backbone->feature_dim();

  Table table;
  table.width = width;
  for (int64_t i = 0; i < source.size(); ++i) {
    table.names.push_back(source.name(i));
    table.stamps.push_back(source.Stamp(i));
  }
  table.there.resize(source.size());
  table.Take(Load(path, network_stamp, width));
  std::vector<int64_t> missing;
  for (int64_t i = 0; i < source.size(); ++i) {
    if (!table.there[i]) missing.push_back(i);
  }

  EvaluationBatch batch;
  absl::Time saved = absl::Now();
  const auto kept = source.size() - static_cast<int64_t>(missing.size());
  for (size_t first = 0; first < missing.size();) {
    if (!watch(kept + static_cast<int64_t>(first), source.size())) {
      GSG_RETURN_IF_ERROR(table.Save(network_stamp, path));
      return absl::CancelledError(absl::StrCat(
          "interrupted; the features of ", table.count(), " of ", source.size(),
          " images are kept, and the same command goes on from there"));
    }
    const size_t count =
        std::min<size_t>(images.block(), missing.size() - first);
    GSG_RETURN_IF_ERROR(images.Read(
        absl::MakeConstSpan(missing).subspan(first, count), &batch));
    first += count;
    const auto read = static_cast<int64_t>(batch.indices.size());
    if (read == 0) continue;
    const at::Tensor features =
        FeaturesOfBatch(*network.backbone, images, batch, device).cpu();
    const float* row = features.const_data_ptr<float>();
    for (const int64_t index : batch.indices) {
      std::copy_n(row, width, table.row(index));
      table.there[index] = true;
      row += width;
    }
    if (absl::Now() - saved > kSaveEvery) {
      GSG_RETURN_IF_ERROR(table.Save(network_stamp, path));
      saved = absl::Now();
    }
  }
  watch(source.size(), source.size());
  if (table.count() == 0) {
    return absl::DataLossError("none of the images could be read");
  }
  GSG_RETURN_IF_ERROR(table.Save(network_stamp, path));

  FeatureTable result;
  result.width = width;
  for (int64_t i = 0; i < source.size(); ++i) {
    if (!table.there[i]) continue;
    const auto place = static_cast<int64_t>(result.names.size());
    if (place != i) std::copy_n(table.row(i), width, table.row(place));
    result.names.push_back(std::move(table.names[i]));
  }
  result.values = std::move(table.values);
  result.values.resize(result.names.size() * width);
  return result;
}

}  // namespace gsg
