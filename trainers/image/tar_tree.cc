#include "trainers/image/tar_tree.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/tar.h"

namespace gsg {
namespace {

using absl::string_view;

constexpr int32_t kMaxClasses = 1 << 20;
constexpr char kLabelSuffix[] = ".cls";

// "a/b" of "a/b/c"; "" of "c".
string_view ParentOf(string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

// "a" of "a/b/c"; "" of "c".
string_view FirstFolder(string_view path) {
  const size_t slash = path.find('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

// `path` without its suffix, that behind the last dot or the first one of the
// file's name.
std::string Key(const std::string& path, bool first_dot) {
  const size_t name = path.rfind('/') + 1;
  const size_t dot =
      first_dot ? path.find('.', name + 1) : path.find_last_of('.');
  return dot == path.npos || dot < name ? path : path.substr(0, dot);
}

absl::StatusOr<int32_t> Label(const std::string& archive,
                              const TarMember& member) {
  int32_t label = -1;
  if (absl::SimpleAtoi(absl::StripAsciiWhitespace(member.text), &label) &&
      label >= 0 && label < kMaxClasses) {
    return label;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      archive, ": ", member.name,
      " must hold the number of a class, from 0 to ", kMaxClasses - 1));
}

bool IsIgnored(string_view path) {
  for (const string_view name : absl::StrSplit(path, '/')) {
    if (IsIgnoredName(name)) return true;
  }
  return false;
}

// The first folder of `path` behind `from` that is called as a validation or
// test set, as a path; "" if there is none.
string_view SplitIn(string_view path, size_t from) {
  while (from < path.size()) {
    const size_t end = std::min(path.find('/', from), path.size());
    if (SplitOf(path.substr(from, end - from)) >= Split::kVal) {
      return path.substr(0, end);
    }
    from = end + 1;
  }
  return "";
}

// The folder that all images lie in, with "/" behind it, or "".
std::string CommonFolder(const std::vector<TarTree::Image>& images) {
  if (images.empty()) return "";
  string_view common = images[0].path;
  for (const TarTree::Image& image : images) {
    while (!absl::StartsWith(image.path, common) ||
           !absl::EndsWith(common, "/")) {
      if (common.empty()) return "";
      common.remove_suffix(1);
      common = common.substr(0, common.rfind('/') + 1);
    }
  }
  return std::string(common);
}

// The tree's top. meant: a folder called as a test set may be all.
std::string RootOf(const std::vector<TarTree::Image>& images, bool meant) {
  const std::string common = CommonFolder(images);
  for (size_t begin = 0; begin < common.size();) {
    const size_t end = common.find('/', begin);
    const Split split = SplitOf(common.substr(begin, end - begin));
    if (split != Split::kNone) {
      return common.substr(0, meant && split >= Split::kVal ? end + 1 : begin);
    }
    begin = end + 1;
  }
  for (const TarTree::Image& image : images) {
    const string_view below = string_view(image.path).substr(common.size());
    if (SplitOf(FirstFolder(below)) != Split::kNone) return common;
  }
  return "";
}

string_view FolderOf(Split split) {
  return split == Split::kVal    ? "val"
         : split == Split::kTest ? "test"
                                 : "train";
}

}  // namespace

absl::StatusOr<TarTree> TarTree::Read(std::vector<Archive> archives) {
  TarTree tree;
  tree.archives_ = std::move(archives);
  std::map<std::pair<int32_t, std::string>, Findings> folders;
  for (size_t i = 0; i < tree.archives_.size(); ++i) {
    GSG_RETURN_IF_ERROR(tree.ReadArchive(static_cast<int32_t>(i), &folders));
  }
  GSG_RETURN_IF_ERROR(tree.PutInPlace(std::move(folders)));
  return tree;
}

// Puts images into images_ by their names in the archive, and into *folders
// the folders by number and name, with what is passed over.
absl::Status TarTree::ReadArchive(
    int32_t number,
    std::map<std::pair<int32_t, std::string>, Findings>* folders) {
  const std::string& path = archives_[number].path;
  GSG_ASSIGN_OR_RETURN(Tar tar, ListTar(path));
  for (std::string& folder : tar.folders) {
    if (!IsIgnored(folder)) (*folders)[{number, std::move(folder)}];
  }
  std::map<std::string, int32_t> labels;
  std::set<std::string> tables;  // that explore wrote
  for (const TarMember& member : tar.members) {
    if (absl::EndsWith(member.name, kNeighborsFile)) tables.insert(member.name);
    if (!member.plain || !absl::EndsWith(member.name, kLabelSuffix)) continue;
    GSG_ASSIGN_OR_RETURN(labels[Key(member.name, /*first_dot=*/false)],
                         Label(path, member));
  }
  for (TarMember& member : tar.members) {
    if (IsIgnored(member.name)) continue;
    const bool sheet =
        member.plain && tables.count(TableBesideSheet(member.name)) > 0;
    if (member.plain && IsImageName(member.name) && !sheet) {
      Image image;
      for (const bool first_dot : {false, true}) {
        const auto label = labels.find(Key(member.name, first_dot));
        if (label != labels.end() && image.label < 0) {
          image.label = label->second;
        }
      }
      image.path = std::move(member.name);
      image.archive = number;
      image.part = {member.begin, member.size, tar.file_size};
      images_.push_back(std::move(image));
      continue;
    }
    if (member.plain && absl::EndsWith(member.name, kLabelSuffix)) continue;
    Findings& findings =
        (*folders)[{number, std::string(ParentOf(member.name))}];
    if (sheet) {
      ++findings.sheets;
      findings.sheet = std::move(member.name);
    } else if (member.plain) {
      ++findings.formats[SuffixOf(member.name)];
      findings.other = std::move(member.name);
    } else {
      ++findings.special;
    }
  }
  return absl::OkStatus();
}

// From the names in the archives to the paths of the tree.
absl::Status TarTree::PutInPlace(
    std::map<std::pair<int32_t, std::string>, Findings> folders) {
  const auto is_test = [](const Archive& a) { return a.split >= Split::kVal; };
  const bool meant = std::all_of(archives_.begin(), archives_.end(), is_test);
  const bool by_name =
      !meant && std::any_of(archives_.begin(), archives_.end(),
                            [](const Archive& archive) {
                              return archive.split != Split::kNone;
                            });
  root_ = RootOf(images_, meant);
  // What stands before a path below the top.
  const auto prefix_of = [&](int32_t archive, string_view path) {
    const bool in_split = SplitOf(FirstFolder(path)) != Split::kNone;
    return !by_name || in_split
               ? std::string()
               : absl::StrCat(FolderOf(archives_[archive].split), "/");
  };
  std::vector<bool> is_empty(archives_.size(), true);
  for (Image& image : images_) {
    const Archive& archive = archives_[image.archive];
    const string_view below = string_view(image.path).substr(root_.size());
    if (by_name && is_test(archive) &&
        SplitOf(FirstFolder(below)) == Split::kTrain) {
      return absl::InvalidArgumentError(absl::StrCat(
          archive.path, " is called as a validation or test set and has ",
          image.path, " in a folder that is called as a training set; rename ",
          "the archive"));
    }
    const std::string prefix = prefix_of(image.archive, below);
    is_empty[image.archive] = false;
    image.prefix = prefix.size();
    image.path = absl::StrCat(prefix, below);
  }
  for (auto& [key, findings] : folders) {
    const auto& [archive, name] = key;
    const std::string folder = absl::StrCat(name, "/");
    string_view below = folder;
    // What lies beside the top is told of as if it lay there.
    if (!absl::ConsumePrefix(&below, root_) || name.empty()) below = "";
    const std::string prefix = prefix_of(archive, below);
    const std::string path = absl::StrCat(prefix, below);
    FolderAt(absl::StripSuffix(path, "/"), archive, prefix.size())
        .passed_over.AddPassedOver(findings);
  }
  // What an archive without images is called as is there, too.
  for (size_t i = 0; by_name && i < archives_.size(); ++i) {
    const string_view folder = FolderOf(archives_[i].split);
    if (is_empty[i]) {
      FolderAt(folder, static_cast<int32_t>(i), folder.size() + 1);
    }
  }
  // Stable: where two archives have the path, in their order.
  std::stable_sort(
      images_.begin(), images_.end(),
      [](const Image& a, const Image& b) { return a.path < b.path; });
  DropReplaced();
  string_view last;
  for (const Image& image : images_) {
    const string_view folder = ParentOf(image.path);
    if (folder.empty() || folder == last) continue;
    FolderAt(folder, image.archive, image.prefix);
    last = folder;
  }
  return absl::OkStatus();
}

TarTree::Folder& TarTree::FolderAt(string_view path, int32_t archive,
                                   size_t prefix) {
  const auto [at, is_new] = folders_.insert({std::string(path), Folder()});
  if (is_new) {
    at->second.archive = archive;
    at->second.prefix = prefix;
    if (!path.empty()) FolderAt(ParentOf(path), archive, prefix);
  }
  return at->second;
}

void TarTree::DropReplaced() {
  std::vector<Image> kept;
  kept.reserve(images_.size());
  for (Image& image : images_) {
    if (kept.empty() || kept.back().path != image.path ||
        kept.back().archive != image.archive) {
      kept.push_back(std::move(image));
      continue;
    }
    Findings& findings =
        FolderAt(ParentOf(image.path), image.archive, image.prefix).passed_over;
    ++findings.replaced;
    findings.replaced_one =
        Name(archives_[image.archive].name, image.path, image.prefix);
    kept.back() = std::move(image);
  }
  images_ = std::move(kept);
}

std::vector<const TarTree::Image*> TarTree::ImagesOf(
    const std::vector<std::string>& paths) const {
  std::vector<const Image*> images;
  auto at = images_.begin();
  for (const std::string& path : paths) {
    while (at->path != path) ++at;
    images.push_back(&*at);
    ++at;
  }
  return images;
}

std::unique_ptr<FileSource> TarTree::MakeSource(
    const std::vector<const Image*>& images, std::vector<int32_t> labels,
    int channels) const {
  // The folder that all archives are called from; "" if by their whole paths.
  string_view root = archives_.front().path;
  root.remove_suffix(archives_.front().name.size());
  root = absl::StripSuffix(root, "/");
  std::vector<std::string> names;
  std::vector<FileInTar> places;
  for (const Image* image : images) {
    const Archive& archive = archives_[image->archive];
    names.push_back(
        absl::StrCat(root.empty() ? archive.path : archive.name, "/", root_,
                     string_view(image->path).substr(image->prefix)));
    places.push_back({archive.path.size(), image->part});
  }
  return std::make_unique<FileSource>(
      std::string(root), names, std::move(labels), channels, std::move(places));
}

absl::StatusOr<std::vector<std::string>> TarTree::Subfolders(
    const std::string& path) const {
  const std::string top = path.empty() ? "" : absl::StrCat(path, "/");
  std::vector<std::string> names;
  for (auto at = folders_.lower_bound(top);
       at != folders_.end() && absl::StartsWith(at->first, top); ++at) {
    const std::string name = at->first.substr(top.size());
    if (!name.empty() && !absl::StrContains(name, '/')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Findings> TarTree::Scan(
    const std::string& path, bool training,
    const std::vector<std::string>& /*keep_out*/) const {
  const std::string top = path.empty() ? "" : absl::StrCat(path, "/");
  Findings findings;
  const auto split_in = [&](string_view folder) {
    return training ? SplitIn(folder, top.size()) : string_view();
  };
  for (const auto& [folder, found] : folders_) {
    if (folder != path && !absl::StartsWith(folder, top)) continue;
    if (const string_view split = split_in(folder); !split.empty()) {
      findings.splits.emplace_back(split);
    } else {
      findings.AddPassedOver(found.passed_over);
    }
  }
  std::sort(findings.splits.begin(), findings.splits.end());
  findings.splits.erase(
      std::unique(findings.splits.begin(), findings.splits.end()),
      findings.splits.end());
  const auto before = [](const Image& image, const std::string& value) {
    return image.path < value;
  };
  string_view last = "/";  // no folder
  bool out = false;
  for (auto at = std::lower_bound(images_.begin(), images_.end(), top, before);
       at != images_.end() && absl::StartsWith(at->path, top); ++at) {
    const string_view folder = ParentOf(at->path);
    if (folder != last) out = !split_in(folder).empty();
    last = folder;
    if (!out) findings.images.push_back(at->path);
  }
  if (!training || path.empty()) return findings;
  for (const Image& image : images_) {
    if (!absl::StartsWith(image.path, top) &&
        SplitIn(ParentOf(image.path), 0).empty()) {
      findings.beside.push_back(image.path);
    }
  }
  findings.training_set = path;
  return findings;
}

std::string TarTree::Name(const std::string& archive, string_view path,
                          size_t prefix) const {
  const std::string name = absl::StrCat(
      root_, path.size() > prefix ? path.substr(prefix) : string_view());
  return name.empty()
             ? archive
             : absl::StrCat(archive, "/", absl::StripSuffix(name, "/"));
}

std::string TarTree::NameOf(const std::string& path) const {
  const auto folder = folders_.find(path);
  if (!path.empty() && folder != folders_.end()) {
    return Name(archives_[folder->second.archive].path, path,
                folder->second.prefix);
  }
  const auto image = std::lower_bound(
      images_.begin(), images_.end(), path,
      [](const Image& a, const std::string& value) { return a.path < value; });
  if (!path.empty() && image != images_.end() && image->path == path) {
    return Name(archives_[image->archive].path, path, image->prefix);
  }
  return absl::StrCat(archives_.front().path,
                      archives_.size() > 1 ? ", ..." : "");
}

absl::Status TarTree::NoImages(const std::string& path,
                               const Findings& findings) const {
  if (!findings.splits.empty()) {
    return absl::NotFoundError(absl::StrCat(
        NameOf(path), " has no images but those of ",
        NameOf(findings.splits.front()),
        ", which is called as a validation or test set and is not trained on; "
        "if it is meant, call the archives so, too, as in val-000.tar"));
  }
  if (findings.sheets > 0) {
    return absl::NotFoundError(
        absl::StrCat(NameOf(path), " has no images but ", SheetsIn(findings)));
  }
  const bool many = path.empty() && archives_.size() > 1;
  return absl::NotFoundError(absl::StrCat(
      path.empty() ? absl::StrCat(Plural(archives_.size(), "archive"),
                                  " such as ", archives_.front().path)
                   : NameOf(path),
      many ? " have" : " has", " no file whose name ends in ", kImageSuffixes,
      ", but ", findings.others(), " others",
      findings.others() > 0 ? absl::StrCat(" (", FormatsIn(findings), ")") : "",
      HeifAdvice(findings)));
}

bool TarTree::AreSame(const std::string& /*a*/,
                      const std::string& /*b*/) const {
  return false;
}

bool TarTree::IsLink(const std::string& /*path*/) const { return false; }

}  // namespace gsg
