#include "trainers/report/read_run.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trainers/checkpoint/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/engine/run_directory.h"
#include "trainers/metrics/epoch_record.h"
#include "trainers/report/comparison.h"

namespace gsg {
namespace {

using Json = nlohmann::ordered_json;

// Reads what it visits where it is there and of that type: older and newer
// versions measure less and more.
struct Reader {
  const Json& json;

  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = json.find(name);
    if (found != json.end() && !found->is_null()) value = found->get<T>();
  }
};

absl::StatusOr<Json> ReadJson(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  return Json::parse(*text);
}

// The last part of the path: "gsg" of "runs/gsg/".
std::string LastPart(const std::string& folder) {
  const std::filesystem::path path =
      std::filesystem::path(folder).lexically_normal();
  return path.has_filename() ? path.filename().string()
                             : path.parent_path().filename().string();
}

// May throw what nlohmann's library does.
absl::StatusOr<ComparedRun> ReadRunUnguarded(const std::string& folder) {
  ComparedRun run;
  run.name = LastPart(folder);
  const absl::StatusOr<Json> config =
      ReadJson(absl::StrCat(folder, "/", kConfigFile));
  if (!config.ok()) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in ", folder, " (no ", kConfigFile, ")"));
  }
  // Where a run lies and how it was started makes no difference.
  std::set<std::string> left_out;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    if (!field.from_config) left_out.insert(std::string(field.name));
  });
  for (const auto& [name, value] : config->items()) {
    if (left_out.count(name) > 0) continue;
    run.config.emplace_back(
        name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  std::ifstream metrics(absl::StrCat(folder, "/", kMetricsFile));
  // A line without its line feed is not finished.
  for (std::string line; std::getline(metrics, line) && !metrics.eof();) {
    VisitRecord(run.epochs.emplace_back(), Reader{Json::parse(line)});
  }
  const absl::StatusOr<Json> result =
      ReadJson(absl::StrCat(folder, "/", kResultFile));
  if (absl::IsNotFound(result.status())) return run;  // not finished
  if (!result.ok()) return result.status();
  const std::pair<const char*, Scores*> scores[] = {
      {"raw_pixels", &run.raw_pixels},
      {"untrained", &run.untrained},
      {"trained", &run.trained},
  };
  for (const auto& [name, value] : scores) {
    if (result->contains(name)) VisitScores(*value, Reader{result->at(name)});
  }
  return run;
}

}  // namespace

absl::StatusOr<ComparedRun> ReadRun(const std::string& folder) {
  try {
    return ReadRunUnguarded(folder);
  } catch (const Json::exception& e) {
    return absl::DataLossError(
        absl::StrCat("the run in ", folder, " cannot be read: ", e.what()));
  }
}

}  // namespace gsg
