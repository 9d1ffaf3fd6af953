#include "trainers/image/folder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/data_path.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder_layout.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/images.h"
#include "trainers/image/passed_over.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr char kAnyImages[] =
    "--images expects a folder of images at any depth, tar archives of them "
    "(shard-{000..146}.tar), or one image";

absl::Status NoImagesIn(const std::string& top, const Findings& findings,
                        absl::string_view expected) {
  if (!findings.splits.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "folder ", top, " has no images but those of ", findings.splits.front(),
        ", which is called as a validation or test set and is not trained on; "
        "if it is meant, pass ",
        top, "/", findings.splits.front(), "; ", expected));
  }
  if (findings.sheets > 0) {
    return absl::NotFoundError(
        absl::StrCat("folder ", top, " has no images but ", SheetsIn(findings),
                     "; ", expected));
  }
  if (findings.others() == 0) {
    return absl::NotFoundError(
        absl::StrCat("folder ", top, " is empty; ", expected));
  }
  std::string advice = HeifAdvice(findings);
  if (!advice.empty()) {
    // That is what there is.
  } else if (!findings.archive.empty()) {
    advice =
        absl::StrCat(". ", findings.archive, " is an archive: unpack it first");
  } else if (absl::StartsWith(findings.other, "data_batch_") ||
             absl::StartsWith(findings.other, "test_batch")) {
    advice = ". That is CIFAR: pass --dataset=cifar10";
  } else if (absl::StrContains(findings.other, "-ubyte")) {
    advice = ". That is in MNIST's layout: pass --dataset=mnist";
  }
  return absl::NotFoundError(
      absl::StrCat("folder ", top, " has no file whose name ends in ",
                   kImageSuffixes, ", the formats that are read, but ",
                   findings.others(), " others, such as ", findings.other, " (",
                   FormatsIn(findings), ")", advice));
}

// Names of the folders in `top`, sorted.
absl::StatusOr<std::vector<std::string>> FoldersIn(const std::string& top) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator it(top, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code unknown;
    std::string name = it->path().filename().string();
    if (it->is_directory(unknown) && !IsIgnoredName(name)) {
      names.push_back(std::move(name));
    }
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("folder ", top, " cannot be read"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A folder on disk.
class FolderTree final : public ImageTree {
 public:
  explicit FolderTree(std::string dir) : dir_(std::move(dir)) {}

  absl::StatusOr<std::vector<std::string>> Subfolders(
      const std::string& path) const override {
    return FoldersIn(NameOf(path));
  }

  absl::StatusOr<Findings> Scan(
      const std::string& path, bool training,
      const std::vector<std::string>& keep_out) const override {
    FolderScan scan(training);
    for (const std::string& folder : keep_out) scan.KeepOut(NameOf(folder));
    GSG_ASSIGN_OR_RETURN(Findings findings, scan.Run(dir_, path));
    if (!training || path.empty()) return findings;
    // The same scan, which enters no folder again.
    absl::StatusOr<Findings> beside = scan.Run(dir_, "");
    if (absl::IsCancelled(beside.status())) return beside.status();
    // What cannot be read there is not used anyway.
    if (beside.ok()) findings.beside = std::move(beside->images);
    findings.training_set = path;
    return findings;
  }

  std::string NameOf(const std::string& path) const override {
    return path.empty() ? dir_ : absl::StrCat(dir_, "/", path);
  }

  absl::Status NoImages(const std::string& path,
                        const Findings& findings) const override {
    return NoImagesIn(NameOf(path), findings, kFolderLayouts);
  }

  bool AreSame(const std::string& a, const std::string& b) const override {
    std::error_code error;
    return fs::equivalent(NameOf(a), NameOf(b), error);
  }

  bool IsLink(const std::string& path) const override {
    std::error_code error;
    return fs::is_symlink(NameOf(path), error);
  }

 private:
  const std::string dir_;
};

}  // namespace

absl::StatusOr<Images> ReadFolder(const std::string& dir, int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  if (dir.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pass --data_dir=<folder>: ", kFolderLayouts));
  }
  GSG_RETURN_IF_ERROR(CheckIsFolder(dir, kFolderLayouts));
  const FolderTree tree(dir);
  GSG_ASSIGN_OR_RETURN(const FolderParts parts, FindParts(tree));
  GSG_ASSIGN_OR_RETURN(FolderLayout layout, LayoutOf(tree, parts));
  Images folder;
  folder.train = std::make_unique<FileSource>(
      dir, layout.train, std::move(layout.train_labels), channels);
  if (!layout.test.empty()) {
    folder.test = std::make_unique<FileSource>(
        dir, layout.test, std::move(layout.test_labels), channels);
  }
  folder.classes = std::move(layout.classes);
  folder.notes = std::move(layout.notes);
  return folder;
}

absl::StatusOr<ImageFiles> ReadFolderImages(const std::string& path,
                                            int channels) {
  ImageFiles images;
  if (IsImageFile(path)) {
    const fs::path file(path);
    const std::string parent = file.parent_path().string();
    images.source = std::make_unique<FileSource>(
        parent.empty() ? "." : parent,
        std::vector<std::string>{file.filename().string()},
        std::vector<int32_t>(), channels);
    return images;
  }
  GSG_RETURN_IF_ERROR(CheckIsFolder(path, kAnyImages));
  FolderScan scan(/*training=*/false);
  GSG_ASSIGN_OR_RETURN(const Findings findings, scan.Run(path, ""));
  if (findings.images.empty()) return NoImagesIn(path, findings, kAnyImages);
  images.source = std::make_unique<FileSource>(
      path, findings.images, std::vector<int32_t>(), channels);
  images.notes = NotesOn(findings);
  return images;
}

}  // namespace gsg
