#include "trainers/study/study.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/base/json.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/json.h"
#include "trainers/config/methods.h"
#include "trainers/config/resume.h"
#include "trainers/config/values.h"
#include "trainers/study/metric.h"
#include "trainers/study/run_key.h"

namespace gsg {
namespace {

constexpr char kMethod[] = "method";
constexpr char kDefaultMethod[] = "simsiam_gsg";
constexpr char kDefaultRecipe[] = "fashion_mnist";
constexpr char kTimes[] = "times";
// More is a typing error: each run takes minutes.
constexpr size_t kMostArms = 1000;

absl::Status Bad(absl::string_view place, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(place, ": ", problem));
}

absl::Status Bad(absl::string_view place, const absl::Status& status) {
  return Bad(place, status.message());
}

absl::StatusOr<Json> ParseObject(absl::string_view text) {
  absl::StatusOr<Json> object = ParseJson(text);
  if (object.ok() && !object->is_object()) {
    return absl::InvalidArgumentError("must be a JSON object, {\"title\": ...");
  }
  return object;
}

// Fails if `object` has a key that is not one of `known`.
absl::Status CheckKeys(const Json& object,
                       const std::vector<absl::string_view>& known) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown key \"", item.key(), "\"; ", DidYouMean(item.key(), known),
          "there are ", absl::StrJoin(known, ", ")));
    }
  }
  return absl::OkStatus();
}

// Leaves *text alone if there is no such key.
absl::Status ReadText(const Json& object, const char* key, std::string* text) {
  const auto found = object.find(key);
  if (found == object.end()) return absl::OkStatus();
  if (!found->is_string()) return Bad(key, "must be a string");
  *text = found->get<std::string>();
  return absl::OkStatus();
}

// What a flag says to mean the same.
std::string FlagText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return ValueText(value.get<double>());
  return JsonText(value);
}

// Fields that a study does not set, and who does.
absl::Status CheckSettable(absl::string_view field) {
  absl::string_view who;
  if (field == "seed") who = "the file's \"seeds\" and --seeds say which";
  if (field == "threads") who = "--threads says how many";
  if (field == "output_dir" || field == "resume" || field == "overwrite") {
    who = "the study decides where its runs lie";
  }
  if (who.empty()) return absl::OkStatus();
  return Bad(field, absl::StrCat("not to be set here; ", who));
}

// {"times": 2}: the base's value, times that.
bool IsMultiple(const Json& value) {
  return value.is_object() && value.size() == 1 && value.contains(kTimes) &&
         value.at(kTimes).is_number();
}

// Values for fields of Config and "method", as written in the file: do the
// fields exist, are values of their type and in their range?
absl::Status CheckValues(const Json& values) {
  Json plain = Json::object();
  for (const auto& [field, value] : values.items()) {
    GSG_RETURN_IF_ERROR(CheckSettable(field));
    if (field == kMethod) {
      if (value.is_string() &&
          FindMethod(value.get<std::string>()) != nullptr) {
        continue;
      }
      std::vector<absl::string_view> names;
      for (const MethodInfo& method : kMethods) names.push_back(method.name);
      return Bad(kMethod, absl::StrCat(JsonText(value), " is none; there are ",
                                       absl::StrJoin(names, ", ")));
    }
    // What it comes to is seen when the base is known.
    if (IsMultiple(value)) continue;
    plain[field] = value;
  }
  Config config;
  GSG_RETURN_IF_ERROR(OverlayJson(JsonText(plain), &config));
  return CheckFields(config);
}

// Later values of a field take the earlier one's place.
void Set(FieldValues& values, const std::string& field,
         const std::string& text) {
  for (auto& [name, old] : values) {
    if (name != field) continue;
    old = text;
    return;
  }
  values.emplace_back(field, text);
}

// The config that the trainer makes of the values, of which "method" names the
// program.
absl::StatusOr<Config> Resolve(const FieldValues& values) {
  std::string method = kDefaultMethod;
  std::vector<std::string> flags;
  for (const auto& [field, text] : values) {
    if (field == kMethod) {
      method = text;
    } else if (!text.empty()) {
      flags.push_back(absl::StrCat("--", field, "=", text));
    }
  }
  std::vector<const char*> argv = {method.c_str()};
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  GSG_ASSIGN_OR_RETURN(
      CommandLine command_line,
      ParseCommandLine(method, kDefaultRecipe, static_cast<int>(argv.size()),
                       argv.data()));
  return std::move(command_line.config);
}

// The field's value in `config`, times `factor`.
absl::StatusOr<std::string> Multiple(const Config& config,
                                     const std::string& field, double factor) {
  absl::StatusOr<std::string> result =
      Bad(field, "there is no such number, so it cannot be a multiple of one");
  VisitFields(config, [&](const auto& value, const Field& f) {
    using Value = std::decay_t<decltype(value)>;
    if (f.name != field) return;
    if constexpr (std::is_same_v<Value, double>) {
      result = ValueText(value * factor);
    } else if constexpr (std::is_same_v<Value, int64_t>) {
      const double product = static_cast<double>(value) * factor;
      if (product == std::floor(product) && std::abs(product) < 1e15) {
        result = ValueText(static_cast<int64_t>(product));
      } else {
        result = Bad(field, absl::StrCat(value, " times ", ValueText(factor),
                                         " is not whole"));
      }
    }
  });
  return result;
}

// An arm as written: its name, if it has one, its place in the file and its
// values.
struct WrittenArm {
  std::string name;
  std::string place;
  Json values;
};

// What a point of the grid is called: "simsiam batch_size=64".
std::string GridName(const Json& values) {
  std::vector<std::string> parts;
  for (const auto& [field, value] : values.items()) {
    parts.push_back(
        value.is_string()
            ? value.get<std::string>()
            : absl::StrCat(field, "=",
                           IsMultiple(value)
                               ? absl::StrCat("x", FlagText(value.at(kTimes)))
                               : FlagText(value)));
  }
  return absl::StrJoin(parts, " ");
}

absl::StatusOr<std::vector<WrittenArm>> GridArms(const Json& grid) {
  if (!grid.is_object() || grid.empty()) {
    return Bad("grid", "must be an object, {\"distance\": [\"cosine\", ...]}");
  }
  std::vector<Json> points = {Json::object()};
  for (const auto& [field, axis] : grid.items()) {
    const std::string place = absl::StrCat("grid.", field);
    if (!axis.is_array() || axis.empty()) {
      return Bad(place, "must be a list of values");
    }
    for (size_t i = 0; i < axis.size(); ++i) {
      Json one = Json::object();
      one[field] = axis[i];
      if (absl::Status s = CheckValues(one); !s.ok()) {
        return Bad(absl::StrCat(place, "[", i, "]"), s);
      }
    }
    std::vector<Json> longer;
    for (const Json& point : points) {
      for (const Json& value : axis) {
        longer.push_back(point);
        longer.back()[field] = value;
      }
    }
    points = std::move(longer);
    if (points.size() > kMostArms) {
      return Bad("grid", absl::StrCat("has more than ", kMostArms, " points"));
    }
  }
  std::vector<WrittenArm> arms;
  for (const Json& point : points) {
    const std::string name = GridName(point);
    arms.push_back({name, absl::StrCat("grid (", name, ")"), point});
  }
  return arms;
}

absl::StatusOr<std::vector<WrittenArm>> ListedArms(const Json& list) {
  if (!list.is_array() || list.empty() || list.size() > kMostArms) {
    return Bad("arms", "must be a list of objects, [{\"name\": ...}]");
  }
  std::vector<WrittenArm> arms;
  for (size_t i = 0; i < list.size(); ++i) {
    WrittenArm arm;
    arm.place = absl::StrCat("arms[", i, "]");
    arm.values = list[i];
    if (!arm.values.is_object()) return Bad(arm.place, "must be an object");
    if (absl::Status s = ReadText(arm.values, "name", &arm.name); !s.ok()) {
      return Bad(arm.place, s);
    }
    if (arm.name.empty()) return Bad(arm.place, "\"name\" is missing");
    arm.values.erase("name");
    absl::StrAppend(&arm.place, " (", arm.name, ")");
    if (absl::Status s = CheckValues(arm.values); !s.ok()) {
      return Bad(arm.place, s);
    }
    arms.push_back(std::move(arm));
  }
  return arms;
}

absl::StatusOr<std::vector<WrittenArm>> WrittenArms(const Json& file) {
  if (file.contains("grid") == file.contains("arms")) {
    return absl::InvalidArgumentError(
        "needs either \"grid\", {\"distance\": [\"cosine\", ...]}, or "
        "\"arms\", [{\"name\": ..., \"distance\": \"cosine\"}, ...]");
  }
  return file.contains("grid") ? GridArms(file.at("grid"))
                               : ListedArms(file.at("arms"));
}

// Does the field exist, and is the value of its type and in its range?
absl::Status CheckOverride(const std::string& field, const std::string& text) {
  GSG_RETURN_IF_ERROR(CheckSettable(field));
  if (field == kMethod) {
    if (FindMethod(text) != nullptr) return absl::OkStatus();
    return Bad(field, absl::StrCat("no method is called ", text));
  }
  Config config;
  bool known = false;
  absl::Status status;
  VisitFields(config, [&](auto& value, const Field& f) {
    if (f.name != field) return;
    known = true;
    status = ParseValue(text, &value);
  });
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no field ", field,
                     "; --help of a training program lists them"));
  }
  if (!status.ok()) return Bad(absl::StrCat(field, "=", text), status);
  return CheckFields(config);
}

// The values of all arms: the file's base with the command line's on top.
absl::StatusOr<FieldValues> BaseValues(const Json& file,
                                       const std::vector<WrittenArm>& arms,
                                       const StudyOverrides& overrides) {
  FieldValues values = {{kMethod, kDefaultMethod}};
  if (file.contains("base")) {
    const Json& base = file.at("base");
    if (!base.is_object()) return Bad("base", "must be an object");
    if (absl::Status s = CheckValues(base); !s.ok()) return Bad("base", s);
    for (const auto& [field, value] : base.items()) {
      if (IsMultiple(value)) return Bad("base", Bad(field, "of what?"));
      Set(values, field, FlagText(value));
    }
  }
  FieldValues given = overrides.values;
  if (!overrides.recipe.empty()) Set(given, "recipe", overrides.recipe);
  const auto flag = [&](const std::string& field) {
    return field == "recipe" && !overrides.recipe.empty() ? "--recipe"
                                                          : "--set";
  };
  for (const auto& [field, text] : given) {
    if (absl::Status s = CheckOverride(field, text); !s.ok()) {
      return Bad(flag(field), s);
    }
    for (const WrittenArm& arm : arms) {
      if (!arm.values.contains(field)) continue;
      return Bad(flag(field),
                 absl::StrCat(field, ": the study compares values of it, in ",
                              arm.place));
    }
    Set(values, field, text);
  }
  return values;
}

absl::StatusOr<Arm> ResolveArm(const WrittenArm& written,
                               const FieldValues& base) {
  Arm arm;
  arm.name = written.name;
  FieldValues values = base;
  for (const auto& [field, value] : written.values.items()) {
    if (!IsMultiple(value)) Set(values, field, FlagText(value));
  }
  for (const auto& [field, value] : written.values.items()) {
    std::string text = FlagText(value);
    if (IsMultiple(value)) {
      absl::StatusOr<Config> config = Resolve(values);
      if (!config.ok()) return Bad(written.place, config.status());
      absl::StatusOr<std::string> multiple =
          Multiple(*config, field, value.at(kTimes).get<double>());
      if (!multiple.ok()) return Bad(written.place, multiple.status());
      text = *std::move(multiple);
      Set(values, field, text);
    }
    arm.differences.emplace_back(field, text);
  }
  absl::StatusOr<Config> config = Resolve(values);
  if (!config.ok()) return Bad(written.place, config.status());
  arm.config = *std::move(config);
  // Arms differ in what the study says, not in what a run decides.
  if (arm.config.fit) {
    return Bad(written.place,
               absl::StrCat("recipe ", arm.config.recipe,
                            " fits its values to the images: add fit=false, "
                            "and values as in the config.json of a run"));
  }
  if (arm.config.minutes > 0) {
    return Bad(written.place, "minutes: give epochs in its place");
  }
  for (const auto& value : values) {
    if (value.first != kMethod && !value.second.empty()) {
      arm.flags.push_back(value);
    }
  }
  return arm;
}

absl::Status CheckDistinct(const std::vector<Arm>& arms) {
  for (size_t i = 0; i < arms.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (arms[i].name == arms[k].name) {
        return Bad("arms", absl::StrCat("two are called ", arms[i].name));
      }
      if (DecidingDifferences(arms[i].config, arms[k].config).empty()) {
        return Bad("arms",
                   absl::StrCat("\"", arms[k].name, "\" and \"", arms[i].name,
                                "\" are the same training"));
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> Seeds(const Json& file,
                                           const StudyOverrides& overrides) {
  if (!overrides.seeds.empty()) return overrides.seeds;
  if (!file.contains("seeds")) return std::vector<int64_t>{0, 1, 2};
  const Json& list = file.at("seeds");
  std::vector<std::string> texts;
  if (list.is_array()) {
    for (const Json& seed : list) texts.push_back(JsonText(seed));
  }
  absl::StatusOr<std::vector<int64_t>> seeds =
      ParseSeeds(absl::StrJoin(texts, ","));
  if (!seeds.ok()) return Bad("seeds", seeds.status());
  return seeds;
}

absl::StatusOr<std::vector<const Metric*>> ChosenMetrics(const Json& file) {
  std::vector<const Metric*> metrics;
  if (!file.contains("metrics")) {
    for (const Metric& metric : Metrics()) {
      if (metric.name != "minutes") metrics.push_back(&metric);
    }
    return metrics;
  }
  std::vector<absl::string_view> names;
  for (const Metric& metric : Metrics()) names.push_back(metric.name);
  const Json& list = file.at("metrics");
  if (!list.is_array() || list.empty()) {
    return Bad("metrics", "must be a list of names");
  }
  for (const Json& item : list) {
    const Metric* metric =
        item.is_string() ? FindMetric(item.get<std::string>()) : nullptr;
    if (metric == nullptr) {
      return Bad("metrics", absl::StrCat(JsonText(item), " is none; there are ",
                                         absl::StrJoin(names, ", ")));
    }
    metrics.push_back(metric);
  }
  return metrics;
}

absl::StatusOr<size_t> Baseline(const Json& file,
                                const std::vector<Arm>& arms) {
  std::string name = arms.front().name;
  GSG_RETURN_IF_ERROR(ReadText(file, "baseline", &name));
  std::vector<absl::string_view> names;
  for (size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].name == name) return i;
    names.push_back(arms[i].name);
  }
  return Bad("baseline", absl::StrCat("no arm is called \"", name, "\"; ",
                                      DidYouMean(name, names), "there are ",
                                      absl::StrJoin(names, ", ")));
}

}  // namespace

absl::StatusOr<Study> ParseStudy(absl::string_view text,
                                 const StudyOverrides& overrides) {
  GSG_ASSIGN_OR_RETURN(const Json json, ParseObject(text));
  const Json& file = json;
  absl::Status status =
      CheckKeys(file, {"title", "question", "base", "grid", "arms", "baseline",
                       "seeds", "metrics"});
  Study study;
  status.Update(ReadText(file, "title", &study.title));
  status.Update(ReadText(file, "question", &study.question));
  if (!status.ok()) return status;
  if (study.title.empty()) {
    return absl::InvalidArgumentError("\"title\" is missing");
  }

  GSG_ASSIGN_OR_RETURN(const std::vector<WrittenArm> arms, WrittenArms(file));
  GSG_ASSIGN_OR_RETURN(const FieldValues base,
                       BaseValues(file, arms, overrides));
  for (const WrittenArm& written : arms) {
    GSG_ASSIGN_OR_RETURN(Arm arm, ResolveArm(written, base));
    study.arms.push_back(std::move(arm));
  }
  GSG_RETURN_IF_ERROR(CheckDistinct(study.arms));

  GSG_ASSIGN_OR_RETURN(size_t baseline, Baseline(file, study.arms));
  study.baseline = baseline;
  GSG_ASSIGN_OR_RETURN(std::vector<int64_t> seeds, Seeds(file, overrides));
  study.seeds = std::move(seeds);
  GSG_ASSIGN_OR_RETURN(std::vector<const Metric*> metrics, ChosenMetrics(file));
  study.metrics = std::move(metrics);
  return study;
}

absl::StatusOr<std::vector<int64_t>> ParseSeeds(absl::string_view text) {
  std::vector<int64_t> seeds;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    int64_t seed;
    if (!ParseValue(part, &seed).ok() || seed < 0 ||
        std::find(seeds.begin(), seeds.end(), seed) != seeds.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", text,
          "\": must be whole numbers from 0 on, each once, as 0, 1, 2"));
    }
    seeds.push_back(seed);
  }
  return seeds;
}

absl::StatusOr<FieldValues> ParseFieldValues(absl::string_view text) {
  FieldValues values;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (halves.first.empty() || halves.second.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", part, "\": must be field=value, as epochs=5,batch_size=64"));
    }
    for (const auto& value : values) {
      if (value.first == halves.first) {
        return absl::InvalidArgumentError(
            absl::StrCat(halves.first, " is there twice"));
      }
    }
    values.emplace_back(std::string(halves.first), std::string(halves.second));
  }
  return values;
}

}  // namespace gsg
