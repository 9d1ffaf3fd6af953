#include "trainers/image/images.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/path_list.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder.h"
#include "trainers/image/image.h"
#include "trainers/image/image_list.h"
#include "trainers/image/image_source.h"
#include "trainers/image/shards.h"
#include "trainers/image/tar_index.h"
#include "trainers/image/unicode_form.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

// Each image once, and no validation image of one folder in the other's
// training set.
absl::Status CheckApart(const std::vector<std::string>& folders) {
  std::vector<std::string> real;
  for (const std::string& folder : folders) {
    std::error_code error;
    real.push_back(fs::canonical(folder, error).string());
  }
  for (size_t i = 0; i < real.size(); ++i) {
    for (size_t j = 0; j < real.size(); ++j) {
      if (i == j || real[i].empty() || real[j].empty() ||
          !absl::StartsWith(absl::StrCat(real[i], "/"),
                            absl::StrCat(real[j], "/"))) {
        continue;
      }
      return absl::InvalidArgumentError(absl::StrCat(
          "--data_dir: ", folders[i], real[i] == real[j] ? " is " : " lies in ",
          folders[j], ", which is given, too; give one of them"));
    }
  }
  return absl::OkStatus();
}

// Images of several folders, with their paths.
class Joined {
 public:
  // numbers: of the source's classes in all; empty for no labels.
  void Add(const std::string& dir, const ImageSource& source,
           const std::vector<int32_t>& numbers) {
    for (int64_t i = 0; i < source.size(); ++i) {
      paths_.push_back(absl::StrCat(dir, "/", source.name(i)));
      if (!numbers.empty()) labels_.push_back(numbers[source.labels()[i]]);
    }
  }
  std::unique_ptr<ImageSource> Make(int channels) {
    return std::make_unique<FileSource>("", paths_, std::move(labels_),
                                        channels);
  }

 private:
  std::vector<std::string> paths_;
  std::vector<int32_t> labels_;
};

// The classes of all folders, by name, and the numbers there of each folder's.
// Names that differ only in Unicode's normal form are one class.
std::vector<std::string> JoinClasses(
    const std::vector<Images>& folders,
    std::vector<std::vector<int32_t>>* numbers) {
  std::map<std::string, std::string> names;  // by the name taken apart
  for (const Images& folder : folders) {
    for (const std::string& name : folder.classes) {
      names.insert({Decomposed(name), name});
    }
  }
  std::vector<std::string> classes;
  for (const auto& [apart, name] : names) classes.push_back(name);
  std::sort(classes.begin(), classes.end());
  std::map<std::string, int32_t> number;
  for (const std::string& name : classes) {
    number.insert({Decomposed(name), static_cast<int32_t>(number.size())});
  }
  for (const Images& folder : folders) {
    numbers->emplace_back();
    for (const std::string& name : folder.classes) {
      numbers->back().push_back(number[Decomposed(name)]);
    }
  }
  return classes;
}

absl::StatusOr<Images> ReadFolders(const std::vector<std::string>& dirs,
                                   int channels) {
  GSG_RETURN_IF_ERROR(CheckApart(dirs));
  Images images;
  std::vector<Images> folders;
  std::string unlabeled, labeled;
  for (const std::string& dir : dirs) {
    GSG_ASSIGN_OR_RETURN(Images folder, ReadFolder(dir, channels));
    (folder.classes.empty() ? unlabeled : labeled) = dir;
    for (const std::string& note : folder.notes) {
      images.notes.push_back(absl::StrCat(dir, ": ", note));
    }
    folders.push_back(std::move(folder));
  }
  std::vector<std::vector<int32_t>> numbers(dirs.size());
  const bool scored = unlabeled.empty();
  if (scored) {
    numbers.clear();
    images.classes = JoinClasses(folders, &numbers);
  } else if (!labeled.empty()) {
    images.notes.push_back(absl::StrCat(
        "the labels of ", labeled, " are not used: ", unlabeled, " has none"));
  }
  Joined train, test;
  for (size_t i = 0; i < dirs.size(); ++i) {
    train.Add(dirs[i], *folders[i].train, numbers[i]);
    if (scored) test.Add(dirs[i], *folders[i].test, numbers[i]);
  }
  images.train = train.Make(channels);
  if (scored) images.test = test.Make(channels);
  return images;
}

}  // namespace

absl::Status CheckChannels(int channels) {
  if (channels >= 1 && channels <= kMaxChannels) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--channels=", channels,
                   ": must be 1 (gray), 3 (color) or "
                   "what all images have, up to ",
                   kMaxChannels));
}

absl::StatusOr<ImageFiles> ReadImages(const std::string& path, int channels) {
  if (IsShards(path)) return ReadShardImages(path, channels);
  GSG_ASSIGN_OR_RETURN(FileInTar in_tar, TarIndex().Find(path));
  if (in_tar.archive > 0) {
    GSG_RETURN_IF_ERROR(CheckChannels(channels));
    // Called by the archive's name and its own there.
    const size_t slash = path.rfind('/', in_tar.archive - 1);
    const std::string folder = slash == path.npos ? "" : path.substr(0, slash);
    const std::string name =
        folder.empty() ? path : path.substr(folder.size() + 1);
    return ImageFiles{
        std::make_unique<FileSource>(folder, std::vector<std::string>{name},
                                     std::vector<int32_t>(), channels,
                                     std::vector<FileInTar>{in_tar}),
        {}};
  }
  return ReadFolderImages(path, channels);
}

absl::StatusOr<Images> FindImages(const std::string& data_dir,
                                  const std::string& data_list, int channels) {
  if (!data_list.empty()) {
    if (!data_dir.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--data_list=", data_list, " and --data_dir=", data_dir,
                       ": give one of them"));
    }
    return ReadImageList(data_list, channels);
  }
  const std::vector<std::string> paths = SplitPaths(data_dir);
  const auto shards = std::find_if(paths.begin(), paths.end(), IsShards);
  if (shards != paths.end()) {
    const auto other = std::find_if_not(paths.begin(), paths.end(), IsShards);
    if (other == paths.end()) return ReadShards(paths, channels);
    return absl::InvalidArgumentError(
        absl::StrCat("--data_dir: ", *shards, " has tar archives and ", *other,
                     " has not; give either kind"));
  }
  if (paths.size() > 1) return ReadFolders(paths, channels);
  return ReadFolder(data_dir, channels);
}

}  // namespace gsg
