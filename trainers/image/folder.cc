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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/data_path.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/folder_source.h"
#include "trainers/image/images.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/unicode_form.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr char kLayouts[] =
    "--dataset=folder expects class folders, as in train/<class>/1.jpg and "
    "val/<class>/2.jpg, or, without labels, images at any depth";
constexpr char kAnyImages[] =
    "--images expects a folder of images at any depth, or one image";

absl::Status NoImages(const std::string& top, const Findings& findings,
                      absl::string_view expected) {
  if (!findings.splits.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "folder ", top, " has no images but those of ", findings.splits.front(),
        ", which is called as a validation or test set and is not trained on; "
        "if it is meant, pass ",
        top, "/", findings.splits.front(), "; ", expected));
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
absl::StatusOr<std::vector<std::string>> Subfolders(const std::string& top) {
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

// The parts of a data set's folder, by their names in it.
struct Parts {
  std::string train;               // empty if there is none
  std::vector<std::string> tests;  // the first that can be is scored
};

absl::StatusOr<Parts> FindParts(const std::string& dir) {
  GSG_ASSIGN_OR_RETURN(const std::vector<std::string> names, Subfolders(dir));
  Parts parts;
  std::vector<std::string> tests;
  for (const std::string& name : names) {
    switch (SplitOf(name)) {
      case Split::kNone:
        break;
      case Split::kTrain:
        if (!parts.train.empty()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "folder ", dir, " has two training sets, ", parts.train, " and ",
              name, "; rename one of them, or move them into one"));
        }
        parts.train = name;
        break;
      case Split::kVal:
        parts.tests.push_back(name);
        break;
      case Split::kTest:
        tests.push_back(name);
        break;
    }
  }
  // Of several validation sets the one that is simply called so.
  std::stable_partition(parts.tests.begin(), parts.tests.end(),
                        [](const std::string& name) { return name == "val"; });
  parts.tests.insert(parts.tests.end(), tests.begin(), tests.end());
  return parts;
}

// The classes of a training set. Their folders' names may be written in several
// of Unicode's normal forms.
class Classes {
 public:
  explicit Classes(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
      const auto [it, is_new] = numbers_.insert(
          {Decomposed(folder), static_cast<int32_t>(names_.size())});
      if (is_new) {
        names_.push_back(folder);
      } else {
        notes_.push_back(absl::StrCat(
            "the folders ", names_[it->second], " and ", folder,
            " differ only in how Unicode writes their name: one class"));
      }
    }
  }

  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& notes() const { return notes_; }

  // -1 if there is none.
  int32_t Number(absl::string_view folder) const {
    const auto found = numbers_.find(Decomposed(folder));
    return found == numbers_.end() ? -1 : found->second;
  }

  bool HasAny(const std::vector<std::string>& folders) const {
    return std::any_of(folders.begin(), folders.end(),
                       [this](const auto& name) { return Number(name) >= 0; });
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> notes_;
  std::map<std::string, int32_t> numbers_;  // by the name taken apart
};

absl::StatusOr<Classes> FindClasses(const std::string& top) {
  GSG_ASSIGN_OR_RETURN(const std::vector<std::string> names, Subfolders(top));
  if (names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "folder ", top, " has no class folders; ", kLayouts,
        ". To learn from it without labels, pass --data_dir=", top));
  }
  for (const std::string& name : names) {
    if (SplitOf(name) < Split::kVal) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "class folder ", top, "/", name,
        " is called as a validation or test set, which is never trained on; "
        "rename it if it is a class, or move it beside the training set"));
  }
  return Classes(names);
}

// The images of dir/part with the numbers of their classes.
absl::StatusOr<std::unique_ptr<FolderSource>> Labeled(
    const std::string& dir, const std::string& part, const std::string& train,
    const Classes& classes, const Findings& findings, int channels) {
  std::vector<int32_t> labels;
  for (const std::string& path : findings.images) {
    const absl::string_view below =
        absl::string_view(path).substr(part.size() + 1);
    const size_t slash = below.find('/');
    if (slash == absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          dir, "/", path, " lies beside the class folders; move it into one"));
    }
    labels.push_back(classes.Number(below.substr(0, slash)));
    if (labels.back() < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          dir, "/", path, " is of class \"", below.substr(0, slash),
          "\", for which there is no folder in ", dir, "/", train,
          "; rename the one or add the other"));
    }
  }
  return std::make_unique<FolderSource>(dir, findings.images, std::move(labels),
                                        channels);
}

absl::Status CheckEveryClassHasImages(const std::string& top,
                                      const Classes& classes,
                                      const FolderSource& train) {
  std::vector<bool> seen(classes.names().size());
  for (int32_t label : train.labels()) seen[label] = true;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i]) continue;
    const std::string folder = absl::StrCat(top, "/", classes.names()[i]);
    std::error_code error;
    if (fs::is_symlink(folder, error)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "class folder ", folder,
          " is a link and has no images of its own: each real folder is read "
          "once; remove it"));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "class folder ", folder, " has no file whose name ends in ",
        kImageSuffixes, "; add images or remove it"));
  }
  return absl::OkStatus();
}

// The images to train on, below dir/train or, if that is empty, dir.
absl::StatusOr<Findings> TrainingImages(const std::string& dir,
                                        const Parts& parts) {
  FolderScan scan(/*training=*/true);
  for (const std::string& test : parts.tests) {
    scan.KeepOut(absl::StrCat(dir, "/", test));
  }
  GSG_ASSIGN_OR_RETURN(Findings findings, scan.Run(dir, parts.train));
  if (findings.images.empty()) {
    return NoImages(
        parts.train.empty() ? dir : absl::StrCat(dir, "/", parts.train),
        findings, kLayouts);
  }
  return findings;
}

// The test set that has classes of the training set; empty if there is none.
// Notes say why the others are not scored.
absl::StatusOr<std::string> ChooseTest(const std::string& dir,
                                       const Parts& parts,
                                       const Classes& classes,
                                       std::vector<std::string>* notes) {
  std::string chosen;
  for (const std::string& test : parts.tests) {
    const std::string top = absl::StrCat(dir, "/", test);
    if (!chosen.empty()) {
      notes->push_back(
          absl::StrCat(test, " is not used: ", chosen, " is scored"));
      continue;
    }
    std::error_code error;
    if (fs::equivalent(top, absl::StrCat(dir, "/", parts.train), error)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "folder ", top, " is the same as ", dir, "/", parts.train,
          ": scores would be of images that were trained on; remove the link, "
          "or give other images"));
    }
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> folders,
                         Subfolders(top));
    if (classes.HasAny(folders)) {
      chosen = test;
      continue;
    }
    FolderScan scan(/*training=*/false);
    GSG_ASSIGN_OR_RETURN(const Findings findings, scan.Run(dir, test));
    if (findings.images.empty()) return NoImages(top, findings, kLayouts);
    notes->push_back(absl::StrCat(
        test, " is not scored: it has no labels (",
        folders.empty()
            ? "no class folders"
            : absl::StrCat("no folder in it, such as ", folders.front(),
                           ", is a class of ", parts.train),
        ")"));
  }
  return chosen;
}

void AddNotes(const std::vector<std::string>& more, Folder* folder) {
  folder->notes.insert(folder->notes.end(), more.begin(), more.end());
}

absl::Status ReadLabeled(const std::string& dir, const Parts& parts,
                         const std::string& test, const Classes& classes,
                         int channels, Folder* folder) {
  GSG_ASSIGN_OR_RETURN(Findings findings, TrainingImages(dir, parts));
  GSG_ASSIGN_OR_RETURN(folder->train, Labeled(dir, parts.train, parts.train,
                                              classes, findings, channels));
  GSG_RETURN_IF_ERROR(CheckEveryClassHasImages(
      absl::StrCat(dir, "/", parts.train), classes, *folder->train));
  FolderScan scan(/*training=*/false);
  GSG_ASSIGN_OR_RETURN(const Findings tests, scan.Run(dir, test));
  if (tests.images.empty()) {
    return NoImages(absl::StrCat(dir, "/", test), tests, kLayouts);
  }
  GSG_ASSIGN_OR_RETURN(
      folder->test, Labeled(dir, test, parts.train, classes, tests, channels));
  folder->classes = classes.names();
  findings.AddPassedOver(tests);
  AddNotes(NotesOn(findings), folder);
  AddNotes(classes.notes(), folder);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Folder> ReadFolder(const std::string& dir, int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  if (dir.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("pass --data_dir=<folder>: ", kLayouts));
  }
  GSG_RETURN_IF_ERROR(CheckIsFolder(dir, kLayouts));
  GSG_ASSIGN_OR_RETURN(const Parts parts, FindParts(dir));
  Folder folder;
  if (!parts.train.empty() && !parts.tests.empty()) {
    GSG_ASSIGN_OR_RETURN(const Classes classes,
                         FindClasses(absl::StrCat(dir, "/", parts.train)));
    GSG_ASSIGN_OR_RETURN(const std::string test,
                         ChooseTest(dir, parts, classes, &folder.notes));
    if (!test.empty()) {
      GSG_RETURN_IF_ERROR(
          ReadLabeled(dir, parts, test, classes, channels, &folder));
      return folder;
    }
  }
  GSG_ASSIGN_OR_RETURN(const Findings findings, TrainingImages(dir, parts));
  folder.train = std::make_unique<FolderSource>(
      dir, findings.images, std::vector<int32_t>(), channels);
  AddNotes(NotesOn(findings), &folder);
  return folder;
}

absl::StatusOr<Folder> ReadImages(const std::string& path, int channels) {
  Folder folder;
  if (IsImageFile(path)) {
    const fs::path file(path);
    const std::string parent = file.parent_path().string();
    folder.train = std::make_unique<FolderSource>(
        parent.empty() ? "." : parent,
        std::vector<std::string>{file.filename().string()},
        std::vector<int32_t>(), channels);
    return folder;
  }
  GSG_RETURN_IF_ERROR(CheckIsFolder(path, kAnyImages));
  FolderScan scan(/*training=*/false);
  GSG_ASSIGN_OR_RETURN(const Findings findings, scan.Run(path, ""));
  if (findings.images.empty()) return NoImages(path, findings, kAnyImages);
  folder.train = std::make_unique<FolderSource>(
      path, findings.images, std::vector<int32_t>(), channels);
  AddNotes(NotesOn(findings), &folder);
  return folder;
}

}  // namespace gsg
