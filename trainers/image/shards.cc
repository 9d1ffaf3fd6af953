#include "trainers/image/shards.h"

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
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/folder_layout.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/images.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/tar_index.h"
#include "trainers/image/tar_tree.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

// Adds the archives in `below` of folder `top`, and of its folders for training
// and validation if `splits`.
void AddArchives(const std::string& top, const std::string& below, bool splits,
                 std::vector<std::string>* archives) {
  std::error_code error;
  fs::directory_iterator it(below.empty() ? top : absl::StrCat(top, "/", below),
                            error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code unknown;
    const std::string name = it->path().filename().string();
    if (IsIgnoredName(name)) continue;
    const std::string inner =
        below.empty() ? name : absl::StrCat(below, "/", name);
    if (it->is_directory(unknown)) {
      if (splits && SplitOf(name) != Split::kNone) {
        AddArchives(top, inner, /*splits=*/false, archives);
      }
    } else if (IsTarName(name)) {
      archives->push_back(inner);
    }
  }
}

// Below the folder.
std::vector<std::string> ArchivesIn(const std::string& folder) {
  std::vector<std::string> archives;
  AddArchives(folder, "", /*splits=*/true, &archives);
  return archives;
}

// Whether there is an image at any depth. What explore wrote beside archives is
// none.
bool HasImages(const std::string& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code unknown;
    if (IsImageName(it->path().filename().string()) &&
        !(it.depth() > 0 && IsThumbnailSheet(it->path().string())) &&
        it->is_regular_file(unknown)) {
      return true;
    }
  }
  return false;
}

// What an archive is for, by the words of its path below what was given.
Split SplitOfArchive(absl::string_view path) {
  Split split = Split::kNone;
  for (const absl::string_view word :
       absl::StrSplit(path, absl::ByAnyChar("/_-. "), absl::SkipEmpty())) {
    split = std::max(split, SplitOf(word));
  }
  return split;
}

// The archives at a path, called by their names below it.
absl::StatusOr<std::vector<TarTree::Archive>> ArchivesAt(
    const std::string& path) {
  std::vector<TarTree::Archive> archives;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (const std::string& below : ArchivesIn(path)) {
      archives.push_back(
          {absl::StrCat(path, "/", below), below, SplitOfArchive(below)});
    }
  } else {
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                         ExpandBraces(path));
    const size_t folder = FolderOfShards(path).size();
    for (const std::string& file : files) {
      if (!fs::exists(file, error)) {
        return absl::NotFoundError(absl::StrCat(
            file, " does not exist", files.size() > 1 ? "; it is one of " : "",
            files.size() > 1 ? path : ""));
      }
      absl::string_view name = absl::string_view(file).substr(folder);
      absl::ConsumePrefix(&name, "/");
      archives.push_back({file, std::string(name),
                          SplitOfArchive(fs::path(file).filename().string())});
    }
  }
  return archives;
}

void SortByPath(std::vector<TarTree::Archive>* archives) {
  std::sort(archives->begin(), archives->end(),
            [](const TarTree::Archive& a, const TarTree::Archive& b) {
              return a.path < b.path;
            });
}

// Those of all paths. Where there are some for validation, without those for
// tests, and a note says so.
absl::StatusOr<std::vector<TarTree::Archive>> FindArchives(
    const std::vector<std::string>& paths, std::vector<std::string>* notes) {
  std::vector<TarTree::Archive> archives;
  for (const std::string& path : paths) {
    GSG_ASSIGN_OR_RETURN(const std::vector<TarTree::Archive> some,
                         ArchivesAt(path));
    archives.insert(archives.end(), some.begin(), some.end());
  }
  for (TarTree::Archive& archive : archives) {
    if (paths.size() > 1) archive.name = archive.path;
  }
  SortByPath(&archives);
  const auto is = [](Split split) {
    return [split](const TarTree::Archive& archive) {
      return archive.split == split;
    };
  };
  const auto test =
      std::find_if(archives.begin(), archives.end(), is(Split::kTest));
  if (test == archives.end() ||
      std::none_of(archives.begin(), archives.end(), is(Split::kVal))) {
    return archives;
  }
  const auto count =
      std::count_if(archives.begin(), archives.end(), is(Split::kTest));
  notes->push_back(absl::StrCat(Plural(count, "archive"),
                                " called as a test set, such as ", test->path,
                                ", not used"));
  archives.erase(
      std::remove_if(archives.begin(), archives.end(), is(Split::kTest)),
      archives.end());
  return archives;
}

using ImagesInTree = std::vector<const TarTree::Image*>;

// Their numbers in .cls files: none, or one for each.
absl::StatusOr<std::vector<int32_t>> LabelsOf(const TarTree& tree,
                                              const ImagesInTree& images) {
  std::vector<int32_t> labels;
  const TarTree::Image* without = nullptr;
  for (const TarTree::Image* image : images) {
    if (image->label >= 0) {
      labels.push_back(image->label);
    } else if (without == nullptr) {
      without = image;
    }
  }
  if (!labels.empty() && without != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(tree.NameOf(without->path),
                     " has no .cls file beside it, and ", labels.size(),
                     " other images have one; give all of them one, or none"));
  }
  return labels;
}

void Append(const std::vector<std::string>& more,
            std::vector<std::string>* notes) {
  notes->insert(notes->end(), more.begin(), more.end());
}

// Labeled by .cls files: `labels` of the training images.
absl::StatusOr<Images> ReadNumbered(const TarTree& tree,
                                    const FolderParts& parts,
                                    const ImagesInTree& train,
                                    std::vector<int32_t> labels,
                                    Findings passed_over, int channels) {
  Images images;
  if (parts.tests.empty()) {
    images.notes.push_back(
        "the labels (.cls) are not used: nothing is scored without archives, "
        "or a folder in them, called as a validation set, as val-000.tar or "
        "val/000.tar");
  } else {
    const std::string& part = parts.tests.front();
    for (size_t i = 1; i < parts.tests.size(); ++i) {
      images.notes.push_back(
          absl::StrCat(parts.tests[i], " is not used: ", part, " is scored"));
    }
    GSG_ASSIGN_OR_RETURN(const Findings findings,
                         tree.Scan(part, /*training=*/false, {}));
    if (findings.images.empty()) return tree.NoImages(part, findings);
    const ImagesInTree test = tree.ImagesOf(findings.images);
    GSG_ASSIGN_OR_RETURN(std::vector<int32_t> test_labels,
                         LabelsOf(tree, test));
    const int32_t classes = 1 + *std::max_element(labels.begin(), labels.end());
    for (size_t i = 0; i < test_labels.size(); ++i) {
      if (test_labels[i] < classes) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          tree.NameOf(test[i]->path), " is of class ", test_labels[i],
          "; those of training end at ", classes - 1));
    }
    passed_over.AddPassedOver(findings);
    if (test_labels.empty()) {
      images.notes.push_back(absl::StrCat(
          tree.NameOf(part),
          " has no .cls files: without labels there nothing is scored"));
    } else {
      for (int32_t c = 0; c < classes; ++c) {
        images.classes.push_back(absl::StrCat(c));
      }
      images.test = tree.MakeSource(test, std::move(test_labels), channels);
    }
  }
  if (images.test == nullptr) labels.clear();
  images.train = tree.MakeSource(train, std::move(labels), channels);
  Append(NotesOn(passed_over), &images.notes);
  return images;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandBraces(absl::string_view path) {
  const size_t open = path.find('{');
  if (open == path.npos) return std::vector<std::string>{std::string(path)};
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": ", why, "; a range is written as in shard-{000..146}.tar"));
  };
  const size_t close = path.find('}', open);
  if (close == path.npos) return bad("\"{\" without \"}\"");
  const std::vector<std::string> ends =
      absl::StrSplit(path.substr(open + 1, close - open - 1), "..");
  int64_t first = 0, last = 0;
  const auto is_number = [](const std::string& text, int64_t* value) {
    return !text.empty() && text.size() <= 9 &&
           std::all_of(text.begin(), text.end(), absl::ascii_isdigit) &&
           absl::SimpleAtoi(text, value);
  };
  if (ends.size() != 2 || !is_number(ends[0], &first) ||
      !is_number(ends[1], &last) || last < first) {
    return bad("between braces there must be two numbers, the larger last");
  }
  if (last - first >= 1000000) return bad("more than a million archives");
  std::vector<std::string> paths;
  for (int64_t i = first; i <= last; ++i) {
    std::string name = absl::StrCat(path.substr(0, open));
    absl::StrAppendFormat(&name, "%0*d", static_cast<int>(ends[0].size()), i);
    absl::StrAppend(&name, path.substr(close + 1));
    // There may be a second range.
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> more,
                         ExpandBraces(name));
    if (paths.size() + more.size() > 1000000) {
      return bad("more than a million archives");
    }
    paths.insert(paths.end(), more.begin(), more.end());
  }
  return paths;
}

bool IsShards(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return !ArchivesIn(path).empty() && !HasImages(path);
  }
  if (IsTarName(path)) return true;
  return absl::StrContains(path, '{') && absl::StrContains(path, '}') &&
         absl::StrContains(absl::AsciiStrToLower(path), ".tar");
}

std::string FolderOfShards(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return path;
  // Names must tell archives of a range apart.
  const size_t end = path.substr(0, path.find('{')).rfind('/');
  return end == path.npos ? "" : path.substr(0, std::max<size_t>(end, 1));
}

absl::StatusOr<Images> ReadShards(const std::vector<std::string>& paths,
                                  int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  std::vector<std::string> notes;
  GSG_ASSIGN_OR_RETURN(std::vector<TarTree::Archive> archives,
                       FindArchives(paths, &notes));
  GSG_ASSIGN_OR_RETURN(const TarTree tree, TarTree::Read(std::move(archives)));
  GSG_ASSIGN_OR_RETURN(FolderParts parts, FindParts(tree));
  GSG_ASSIGN_OR_RETURN(const Findings findings, TrainingImages(tree, parts));
  const ImagesInTree train = tree.ImagesOf(findings.images);
  GSG_ASSIGN_OR_RETURN(std::vector<int32_t> labels, LabelsOf(tree, train));
  Images images;
  if (!labels.empty()) {
    GSG_ASSIGN_OR_RETURN(
        images, ReadNumbered(tree, parts, train, std::move(labels), findings,
                             channels));
  } else {
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> folders,
                         tree.Subfolders(parts.train));
    if (!parts.train.empty() && folders.empty() && !parts.tests.empty()) {
      notes.push_back(absl::StrCat(
          tree.NameOf(parts.tests.front()),
          " is not used: ", tree.NameOf(parts.train),
          " has no labels (neither .cls files nor class folders)"));
      parts.tests.clear();
    }
    GSG_ASSIGN_OR_RETURN(FolderLayout layout, LayoutOf(tree, parts));
    images.train = tree.MakeSource(tree.ImagesOf(layout.train),
                                   std::move(layout.train_labels), channels);
    if (!layout.test.empty()) {
      images.test = tree.MakeSource(tree.ImagesOf(layout.test),
                                    std::move(layout.test_labels), channels);
    }
    images.classes = std::move(layout.classes);
    images.notes = std::move(layout.notes);
  }
  Append(images.notes, &notes);
  images.notes = std::move(notes);
  return images;
}

absl::StatusOr<ImageFiles> ReadShardImages(const std::string& path,
                                           int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  GSG_ASSIGN_OR_RETURN(std::vector<TarTree::Archive> archives,
                       ArchivesAt(path));
  for (TarTree::Archive& archive : archives) archive.split = Split::kNone;
  SortByPath(&archives);
  GSG_ASSIGN_OR_RETURN(const TarTree tree, TarTree::Read(std::move(archives)));
  GSG_ASSIGN_OR_RETURN(const Findings findings,
                       tree.Scan("", /*training=*/false, {}));
  if (findings.images.empty()) return tree.NoImages("", findings);
  ImageFiles files;
  files.source = tree.MakeSource(tree.ImagesOf(findings.images), {}, channels);
  files.notes = NotesOn(findings);
  return files;
}

}  // namespace gsg
