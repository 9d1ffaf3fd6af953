#include "trainers/run/run_state.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/base/version.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/image_record.h"

namespace gsg {
namespace {

constexpr int kFormat = 2;

// One list of names, for both directions.
template <class Totals, class Visitor>
void VisitTotals(Totals& t, Visitor&& visit) {
  visit("batches", t.batches);
  visit("loss", t.loss);
  visit("feature_std", t.feature_std);
  visit("pair_count", t.pair_count);
  visit("seconds", t.seconds);
}

template <class Record, class Visitor>
void VisitImages(Record& r, Visitor&& visit) {
  visit("train", r.train);
  visit("test", r.test);
  visit("classes", r.classes);
  visit("checksum", r.checksum);
}

template <class Damage, class Visitor>
void VisitDamage(Damage& d, Visitor&& visit) {
  visit("source", d.source);
  visit("index", d.index);
  visit("name", d.name);
  visit("reason", d.reason);
}

// Writes what it visits. JSON has no NaN: null stands for it.
struct Writer {
  Json json = Json::object();

  void operator()(const char* name, double value) {
    json[name] = std::isfinite(value) ? Json(value) : Json(nullptr);
  }
  template <class T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
};

// Reads what it visits; exceptions name the key that is wrong.
struct Reader {
  const Json& json;

  void operator()(const char* name, int64_t& value) {
    value = WholeNumberOf(name, json.at(name));
  }
  template <size_t kSize>
  void operator()(const char* name, std::array<int64_t, kSize>& values) {
    for (size_t i = 0; i < kSize; ++i) {
      values[i] = WholeNumberOf(name, json.at(name).at(i));
    }
  }

  void operator()(const char* name, double& value) {
    const Json& found = json.at(name);
    value = found.is_null() ? kUnknown : found.get<double>();
  }
  template <class T>
  void operator()(const char* name, T& value) {
    value = json.at(name).get<T>();
  }
};

Json ToJsonObject(const EpochRecord& record) {
  Writer writer;
  VisitRecord(record, writer);
  return std::move(writer.json);
}

Json ToJsonObject(const Scores& scores) {
  Writer writer;
  VisitScores(scores, writer);
  return std::move(writer.json);
}

// Older versions measured less.
Scores ReadScores(const Json& json) {
  Scores scores;
  VisitScores(scores, [&](const char* name, double& value) {
    if (json.contains(name)) Reader{json}(name, value);
  });
  return scores;
}

RunState ReadState(const Json& json) {
  RunState state;
  state.channel_mean = json.at("channel_mean").get<std::vector<double>>();
  state.channel_std = json.at("channel_std").get<std::vector<double>>();
  Reader read{json};
  read("epoch", state.epoch);
  read("batch", state.batch);
  read("step", state.step);
  if (json.contains("ranks")) read("ranks", state.ranks);  // not in older ones
  VisitTotals(state.totals, Reader{json.at("totals")});
  for (const Json& record : json.at("history")) {
    VisitRecord(state.history.emplace_back(), Reader{record});
  }
  if (json.contains("images")) {  // nor this
    VisitImages(state.images, Reader{json.at("images")});
  }
  state.raw_pixels = ReadScores(json.at("raw_pixels"));
  state.untrained = ReadScores(json.at("untrained"));
  for (const Json& damage : json.value("damaged", Json::array())) {  // nor this
    VisitDamage(state.damaged.emplace_back(), Reader{damage});
  }
  return state;
}

}  // namespace

std::string MetricsLine(const EpochRecord& record) {
  return JsonText(ToJsonObject(record));
}

std::string ResultToJson(const RunState& state, const Scores& trained,
                         int64_t damaged_images) {
  Json json;
  json["epochs"] = state.epoch;
  json["steps"] = state.step;
  json["raw_pixels"] = ToJsonObject(state.raw_pixels);
  json["untrained"] = ToJsonObject(state.untrained);
  json["trained"] = ToJsonObject(trained);
  json["damaged_images"] = damaged_images;
  return absl::StrCat(JsonText(json, 2), "\n");
}

std::string StateToJson(const RunState& state, const Config& config) {
  Json json;
  json["format"] = kFormat;
  json["version"] = std::string(Version());  // that wrote it; nobody reads it
  json["channel_mean"] = state.channel_mean;
  json["channel_std"] = state.channel_std;
  json["epoch"] = state.epoch;
  json["batch"] = state.batch;
  json["step"] = state.step;
  json["ranks"] = state.ranks;
  Writer totals;
  VisitTotals(state.totals, totals);
  json["totals"] = std::move(totals.json);
  json["history"] = Json::array();
  for (const EpochRecord& record : state.history) {
    json["history"].push_back(ToJsonObject(record));
  }
  Writer images;
  VisitImages(state.images, images);
  json["images"] = std::move(images.json);
  json["raw_pixels"] = ToJsonObject(state.raw_pixels);
  json["untrained"] = ToJsonObject(state.untrained);
  json["damaged"] = Json::array();
  for (const DamageRecord& damage : state.damaged) {
    Writer writer;
    VisitDamage(damage, writer);
    json["damaged"].push_back(std::move(writer.json));
  }
  json["config"] = *ParseJson(ToJson(config));
  // A reason may quote what is no UTF-8.
  return JsonText(json, 2);
}

absl::StatusOr<SavedRun> StateFromJson(const std::string& text) {
  absl::StatusOr<Json> parsed = ParseJson(text);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the checkpoint's state cannot be read: ", parsed.status().message()));
  }
  const Json& json = *parsed;
  try {
    if (const int64_t format = WholeNumberOf("format", json.at("format"));
        format != kFormat) {
      return absl::InvalidArgumentError(
          absl::StrCat("the checkpoint has format ", format,
                       "; this program reads format ", kFormat));
    }
    SavedRun run;
    run.state = ReadState(json);
    GSG_ASSIGN_OR_RETURN(Config config, FromJson(JsonText(json.at("config"))));
    run.config = std::move(config);
    return run;
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(
        absl::StrCat("the checkpoint's state cannot be read: ", e.what()));
  }
}

}  // namespace gsg
