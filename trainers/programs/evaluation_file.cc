#include "trainers/programs/evaluation_file.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/base/json.h"
#include "trainers/base/path_list.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/config.h"
#include "trainers/image/dataset.h"
#include "trainers/run/run_directory.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFolder = "folder";
constexpr char kDataset[] = "dataset";
constexpr char kDataDir[] = "data_dir";
constexpr char kDataList[] = "data_list";

// The same folder's name, however it was typed.
std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool SamePath(const std::string& a, const std::string& b) {
  std::error_code error;
  return a == b || fs::equivalent(a, b, error);
}

bool OfTheRun(const Config& run, const EvaluatedImages& images) {
  return images.dataset == run.dataset &&
         (images.dataset != kFolder ||
          (SamePath(images.place.dir, run.data_dir) &&
           SamePath(images.place.list, run.data_list)));
}

// Of a file: the last part of where they are, with what is special to a shell
// replaced.
std::string ShortName(const EvaluatedImages& images) {
  if (images.dataset != kFolder) return images.dataset;
  const DataPlace& place = images.place;
  const std::string path =
      place.dir.empty() ? place.list : SplitPaths(place.dir).front();
  std::string name = fs::path(WithoutSlash(path)).filename();
  for (char& c : name) {
    const bool plain = absl::ascii_isalnum(c) || !absl::ascii_isascii(c) ||
                       absl::StrContains("-_.", c);
    if (!plain) c = '_';
  }
  constexpr size_t kLong = 100;
  return name.empty() ? images.dataset : name.substr(0, kLong);
}

// As it is in the file, where what is no UTF-8 was replaced.
std::string TextOf(const Json& json, absl::string_view key) {
  const auto value = json.find(key);
  return value == json.end() ? JsonText("") : JsonText(*value);
}

bool HasScoresOf(const EvaluatedImages& images, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return false;
  const absl::StatusOr<Json> json = ParseJson(*text);
  if (!json.ok() || !json->is_object()) return false;
  Json expected;
  AddImages(images, &expected);
  const bool same_dataset =
      TextOf(*json, kDataset) == TextOf(expected, kDataset);
  if (images.dataset != kFolder) return same_dataset;
  return same_dataset &&
         TextOf(*json, kDataDir) == TextOf(expected, kDataDir) &&
         TextOf(*json, kDataList) == TextOf(expected, kDataList);
}

}  // namespace

std::string NameOf(const EvaluatedImages& images) {
  const DataPlace& place = images.place;
  const std::string& where = place.dir.empty() ? place.list : place.dir;
  return images.dataset == kFolder ? absl::StrCat(images.dataset, " ", where)
                                   : images.dataset;
}

void AddImages(const EvaluatedImages& images, Json* json) {
  (*json)[kDataset] = images.dataset;
  if (!images.place.dir.empty()) {
    (*json)[kDataDir] = WithoutSlash(images.place.dir);
  }
  if (!images.place.list.empty()) (*json)[kDataList] = images.place.list;
}

std::string EvaluationPath(const std::string& folder, const Config& run,
                           const EvaluatedImages& images) {
  if (OfTheRun(run, images)) return absl::StrCat(folder, "/", kEvaluationFile);
  const std::string start =
      absl::StrCat(folder, "/evaluation-", ShortName(images));
  std::string path = absl::StrCat(start, ".json");
  std::error_code error;
  for (int number = 2; fs::exists(path, error) && !HasScoresOf(images, path);
       ++number) {
    path = absl::StrCat(start, "-", number, ".json");
  }
  return path;
}

}  // namespace gsg
