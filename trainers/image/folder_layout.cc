#include "trainers/image/folder_layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/unicode_form.h"

namespace gsg {
namespace {

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

absl::StatusOr<Classes> FindClasses(const ImageTree& tree,
                                    const std::string& train) {
  GSG_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       tree.Subfolders(train));
  if (names.empty()) {
    const std::string top = tree.NameOf(train);
    return absl::InvalidArgumentError(absl::StrCat(
        "folder ", top, " has no class folders; ", kFolderLayouts,
        ". To learn from it without labels, pass --data_dir=", top));
  }
  for (const std::string& name : names) {
    if (SplitOf(name) < Split::kVal) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "class folder ", tree.NameOf(absl::StrCat(train, "/", name)),
        " is called as a validation or test set, which is never trained on; "
        "rename it if it is a class, or move it beside the training set"));
  }
  return Classes(names);
}

// The numbers of the classes of images, which are those of folder `part`.
absl::StatusOr<std::vector<int32_t>> LabelsOf(
    const ImageTree& tree, const std::string& part, const std::string& train,
    const Classes& classes, const std::vector<std::string>& images) {
  std::vector<int32_t> labels;
  for (const std::string& path : images) {
    const absl::string_view below =
        absl::string_view(path).substr(part.size() + 1);
    const size_t slash = below.find('/');
    if (slash == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat(tree.NameOf(path),
                       " lies beside the class folders; move it into one"));
    }
    labels.push_back(classes.Number(below.substr(0, slash)));
    if (labels.back() < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          tree.NameOf(path), " is of class \"", below.substr(0, slash),
          "\", for which there is no folder in ", tree.NameOf(train),
          "; rename the one or add the other"));
    }
  }
  return labels;
}

absl::Status CheckEveryClassHasImages(const ImageTree& tree,
                                      const std::string& train,
                                      const Classes& classes,
                                      const std::vector<int32_t>& labels) {
  std::vector<bool> seen(classes.names().size());
  for (int32_t label : labels) seen[label] = true;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen[i]) continue;
    const std::string path = absl::StrCat(train, "/", classes.names()[i]);
    const std::string folder = tree.NameOf(path);
    if (tree.IsLink(path)) {
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

// The test set that has classes of the training set; empty if there is none.
// Notes say why the others are not scored.
absl::StatusOr<std::string> ChooseTest(const ImageTree& tree,
                                       const FolderParts& parts,
                                       const Classes& classes,
                                       std::vector<std::string>* notes) {
  std::string chosen;
  for (const std::string& test : parts.tests) {
    if (!chosen.empty()) {
      notes->push_back(
          absl::StrCat(test, " is not used: ", chosen, " is scored"));
      continue;
    }
    if (tree.AreSame(test, parts.train)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "folder ", tree.NameOf(test), " is the same as ",
          tree.NameOf(parts.train),
          ": scores would be of images that were trained on; remove the link, "
          "or give other images"));
    }
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> folders,
                         tree.Subfolders(test));
    if (classes.HasAny(folders)) {
      chosen = test;
      continue;
    }
    GSG_ASSIGN_OR_RETURN(const Findings findings,
                         tree.Scan(test, /*training=*/false, {}));
    if (findings.images.empty()) return tree.NoImages(test, findings);
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

void Append(const std::vector<std::string>& more,
            std::vector<std::string>* notes) {
  notes->insert(notes->end(), more.begin(), more.end());
}

absl::Status ReadLabeled(const ImageTree& tree, const FolderParts& parts,
                         const std::string& test, const Classes& classes,
                         FolderLayout* layout) {
  GSG_ASSIGN_OR_RETURN(Findings findings, TrainingImages(tree, parts));
  GSG_ASSIGN_OR_RETURN(
      layout->train_labels,
      LabelsOf(tree, parts.train, parts.train, classes, findings.images));
  GSG_RETURN_IF_ERROR(CheckEveryClassHasImages(tree, parts.train, classes,
                                               layout->train_labels));
  GSG_ASSIGN_OR_RETURN(Findings tests, tree.Scan(test, /*training=*/false, {}));
  if (tests.images.empty()) return tree.NoImages(test, tests);
  GSG_ASSIGN_OR_RETURN(layout->test_labels, LabelsOf(tree, test, parts.train,
                                                     classes, tests.images));
  layout->train = std::move(findings.images);
  layout->test = std::move(tests.images);
  layout->classes = classes.names();
  findings.AddPassedOver(tests);
  Append(NotesOn(findings), &layout->notes);
  Append(classes.notes(), &layout->notes);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FolderParts> FindParts(const ImageTree& tree) {
  GSG_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                       tree.Subfolders(""));
  FolderParts parts;
  std::vector<std::string> tests;
  for (const std::string& name : names) {
    switch (SplitOf(name)) {
      case Split::kNone:
        break;
      case Split::kTrain:
        if (!parts.train.empty()) {
          return absl::InvalidArgumentError(absl::StrCat(
              "folder ", tree.NameOf(""), " has two training sets, ",
              parts.train, " and ", name,
              "; rename one of them, or move them into one"));
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

absl::StatusOr<Findings> TrainingImages(const ImageTree& tree,
                                        const FolderParts& parts) {
  GSG_ASSIGN_OR_RETURN(Findings findings,
                       tree.Scan(parts.train,
                                 /*training=*/true, parts.tests));
  if (findings.images.empty()) return tree.NoImages(parts.train, findings);
  return findings;
}

absl::StatusOr<FolderLayout> LayoutOf(const ImageTree& tree,
                                      const FolderParts& parts) {
  FolderLayout layout;
  if (!parts.train.empty() && !parts.tests.empty()) {
    GSG_ASSIGN_OR_RETURN(const Classes classes, FindClasses(tree, parts.train));
    GSG_ASSIGN_OR_RETURN(const std::string test,
                         ChooseTest(tree, parts, classes, &layout.notes));
    if (!test.empty()) {
      GSG_RETURN_IF_ERROR(ReadLabeled(tree, parts, test, classes, &layout));
      return layout;
    }
  }
  GSG_ASSIGN_OR_RETURN(Findings findings, TrainingImages(tree, parts));
  layout.train = std::move(findings.images);
  Append(NotesOn(findings), &layout.notes);
  return layout;
}

}  // namespace gsg
