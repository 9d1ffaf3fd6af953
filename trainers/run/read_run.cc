#include "trainers/run/read_run.h"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/run/epoch_record.h"
#include "trainers/run/run_directory.h"

namespace gsg {
namespace {

// Reads what it visits where it is there: older and newer versions measure less
// and more.
struct Reader {
  const Json& json;

  void operator()(const char* name, int64_t& value) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return;
    value = WholeNumberOf(name, *found);
  }
  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = json.find(name);
    if (found != json.end() && !found->is_null()) value = found->get<T>();
  }
};

absl::StatusOr<Json> ReadJson(const std::string& path) {
  GSG_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
  return ParseJson(text);
}

// The last part of the path: "gsg" of "runs/gsg/".
std::string LastPart(const std::string& folder) {
  const std::filesystem::path path =
      std::filesystem::path(folder).lexically_normal();
  return path.has_filename() ? path.filename().string()
                             : path.parent_path().filename().string();
}

// May throw what nlohmann's library and Reader do.
absl::StatusOr<RunSummary> ReadRunUnguarded(const std::string& folder) {
  RunSummary run;
  run.name = LastPart(folder);
  const absl::StatusOr<Json> config =
      ReadJson(absl::StrCat(folder, "/", kConfigFile));
  if (absl::IsNotFound(config.status())) {
    return absl::NotFoundError(
        absl::StrCat("there is no run in ", folder, " (no ", kConfigFile, ")"));
  }
  if (!config.ok()) return config.status();
  // Where a run lies and how it was started makes no difference.
  std::set<std::string> left_out;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    if (!field.from_config) left_out.insert(std::string(field.name));
  });
  for (const auto& [name, value] : config->items()) {
    if (left_out.count(name) > 0) continue;
    run.config.emplace_back(
        name, value.is_string() ? value.get<std::string>() : JsonText(value));
  }
  std::ifstream metrics(absl::StrCat(folder, "/", kMetricsFile));
  // A line without its line feed is not finished.
  for (std::string line; std::getline(metrics, line) && !metrics.eof();) {
    GSG_ASSIGN_OR_RETURN(const Json record, ParseJson(line));
    VisitRecord(run.epochs.emplace_back(), Reader{record});
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

absl::StatusOr<RunSummary> ReadRun(const std::string& folder) {
  const auto unreadable = [&](absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat("the run in ", folder, " cannot be read: ", why));
  };
  try {
    absl::StatusOr<RunSummary> run = ReadRunUnguarded(folder);
    if (!run.ok() && !absl::IsNotFound(run.status())) {
      return unreadable(run.status().message());
    }
    return run;
  } catch (const std::exception& e) {
    return unreadable(e.what());
  }
}

}  // namespace gsg
