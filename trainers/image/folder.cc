#include "trainers/image/folder.h"

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
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/image/folder_source.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr char kLayouts[] =
    "--dataset=folder expects class folders, as in train/<class>/1.jpg and "
    "val/<class>/2.jpg, or, without labels, images at any depth";
constexpr char kSuffixes[] = ".jpg, .jpeg, .png or .webp";

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool IsHidden(const fs::path& path) {
  return absl::StartsWith(path.filename().native(), ".");
}

bool IsImageName(const fs::path& path) {
  const std::string suffix = absl::AsciiStrToLower(path.extension().native());
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png" ||
         suffix == ".webp";
}

absl::Status FileSystemError(const std::string& path,
                             const std::error_code& error) {
  return absl::ErrnoToStatus(error.value(),
                             absl::StrCat("folder ", path, " cannot be read"));
}

// What lies below a folder: paths of images, and how much else.
struct Listing {
  std::vector<std::string> images;  // below dir/part, sorted
  int64_t others = 0;
  std::string other;  // one of them
};

absl::StatusOr<Listing> List(const std::string& dir, const std::string& part) {
  const std::string top = part.empty() ? dir : absl::StrCat(dir, "/", part);
  Listing listing;
  std::error_code error;
  fs::recursive_directory_iterator it(
      top, fs::directory_options::follow_directory_symlink, error);
  for (; !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    std::error_code unknown;  // a link that leads nowhere is not a folder
    const bool folder = it->is_directory(unknown);
    if (IsHidden(it->path())) {
      if (folder) it.disable_recursion_pending();
    } else if (!folder) {
      std::string below = it->path().lexically_relative(dir).generic_string();
      if (IsImageName(it->path())) {
        listing.images.push_back(std::move(below));
      } else {
        ++listing.others;
        listing.other = std::move(below);
      }
    }
  }
  if (error) return FileSystemError(top, error);
  std::sort(listing.images.begin(), listing.images.end());
  return listing;
}

absl::Status NoImages(const std::string& top, const Listing& listing) {
  if (listing.others == 0) {
    return absl::NotFoundError(
        absl::StrCat("folder ", top, " is empty; ", kLayouts));
  }
  return absl::NotFoundError(
      absl::StrCat("folder ", top, " has no file whose name ends in ",
                   kSuffixes, ", the formats that are read, but ",
                   listing.others, " others, such as ", listing.other));
}

// Names of the class folders in dir/part, sorted.
absl::StatusOr<std::vector<std::string>> ListClasses(const std::string& dir,
                                                     const std::string& part) {
  const std::string top = absl::StrCat(dir, "/", part);
  std::vector<std::string> classes;
  std::error_code error;
  fs::directory_iterator it(top, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code unknown;
    if (it->is_directory(unknown) && !IsHidden(it->path())) {
      classes.push_back(it->path().filename().string());
    }
  }
  if (error) return FileSystemError(top, error);
  std::sort(classes.begin(), classes.end());
  if (!classes.empty()) return classes;
  return absl::InvalidArgumentError(
      absl::StrCat("folder ", top, " has no class folders; ", kLayouts,
                   ". To learn from it without labels, pass --data_dir=", top));
}

// The images of dir/part with the numbers of their classes.
absl::StatusOr<std::unique_ptr<FolderSource>> ReadLabelled(
    const std::string& dir, const std::string& part,
    const std::vector<std::string>& classes, int channels) {
  absl::StatusOr<Listing> listing = List(dir, part);
  if (!listing.ok()) return listing.status();
  if (listing->images.empty()) {
    return NoImages(absl::StrCat(dir, "/", part), *listing);
  }
  std::map<absl::string_view, int32_t> number;
  for (size_t i = 0; i < classes.size(); ++i) {
    number[classes[i]] = static_cast<int32_t>(i);
  }
  std::vector<int32_t> labels;
  for (const std::string& path : listing->images) {
    const absl::string_view below =
        absl::string_view(path).substr(part.size() + 1);
    const size_t slash = below.find('/');
    if (slash == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          dir, "/", path, " lies beside the class folders; move it into one"));
    }
    const auto found = number.find(below.substr(0, slash));
    if (found == number.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          dir, "/", path, " is of class \"", below.substr(0, slash),
          "\", for which there is no folder in ", dir,
          "/train; rename the one or add the other"));
    }
    labels.push_back(found->second);
  }
  return std::make_unique<FolderSource>(dir, listing->images, std::move(labels),
                                        channels);
}

absl::Status CheckEveryClassHasImages(const std::string& dir,
                                      const Folder& folder) {
  std::vector<bool> seen(folder.classes.size());
  for (int32_t label : folder.train->labels()) seen[label] = true;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("class folder ", dir, "/train/", folder.classes[i],
                       " has no file whose name ends in ", kSuffixes,
                       "; add images or remove it"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Folder> ReadLabelledFolder(const std::string& dir,
                                          const std::string& test,
                                          int channels) {
  Folder folder;
  absl::StatusOr<std::vector<std::string>> classes = ListClasses(dir, "train");
  if (!classes.ok()) return classes.status();
  folder.classes = *std::move(classes);
  absl::StatusOr<std::unique_ptr<FolderSource>> source =
      ReadLabelled(dir, "train", folder.classes, channels);
  if (!source.ok()) return source.status();
  folder.train = *std::move(source);
  if (absl::Status s = CheckEveryClassHasImages(dir, folder); !s.ok()) return s;
  source = ReadLabelled(dir, test, folder.classes, channels);
  if (!source.ok()) return source.status();
  folder.test = *std::move(source);
  return folder;
}

}  // namespace

absl::StatusOr<Folder> ReadFolder(const std::string& dir, int channels) {
  if (channels != 1 && channels != 3) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--channels=", channels, ": must be 1 (grey) or 3 (colour)"));
  }
  if (dir.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pass --data_dir=<folder>: ", kLayouts));
  }
  if (!IsFolder(dir)) {
    return absl::NotFoundError(
        absl::StrCat("folder ", dir, " does not exist; ", kLayouts));
  }
  const bool has_train = IsFolder(dir + "/train");
  for (const std::string test : {"val", "test"}) {
    if (has_train && IsFolder(absl::StrCat(dir, "/", test))) {
      return ReadLabelledFolder(dir, test, channels);
    }
  }
  const std::string part = has_train ? "train" : "";
  absl::StatusOr<Listing> listing = List(dir, part);
  if (!listing.ok()) return listing.status();
  if (listing->images.empty()) {
    return NoImages(has_train ? dir + "/train" : dir, *listing);
  }
  Folder folder;
  folder.train = std::make_unique<FolderSource>(
      dir, listing->images, std::vector<int32_t>(), channels);
  return folder;
}

absl::StatusOr<std::unique_ptr<FolderSource>> ReadImages(const std::string& dir,
                                                         int channels) {
  if (!IsFolder(dir)) {
    return absl::NotFoundError(absl::StrCat("folder ", dir, " does not exist"));
  }
  absl::StatusOr<Listing> listing = List(dir, "");
  if (!listing.ok()) return listing.status();
  if (listing->images.empty()) return NoImages(dir, *listing);
  return std::make_unique<FolderSource>(dir, listing->images,
                                        std::vector<int32_t>(), channels);
}

}  // namespace gsg
