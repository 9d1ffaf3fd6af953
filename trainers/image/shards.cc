#include "trainers/image/shards.h"

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
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/images.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/tar.h"
#include "trainers/image/tar_source.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr int32_t kMaxClasses = 1 << 20;

bool IsTarName(absl::string_view name) {
  return absl::EndsWith(absl::AsciiStrToLower(name), ".tar");
}

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

// Whether there is an image at any depth.
bool HasImages(const std::string& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end;
       !error && it != end; it.increment(error)) {
    std::error_code unknown;
    if (IsImageName(it->path().filename().string()) &&
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

struct Archives {
  std::vector<std::string> train;
  std::vector<std::string> test;
  std::vector<std::string> notes;
};

absl::StatusOr<Archives> FindArchives(const std::vector<std::string>& paths) {
  std::map<Split, std::vector<std::string>> by_split;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (const std::string& archive : ArchivesIn(path)) {
        by_split[SplitOfArchive(archive)].push_back(
            absl::StrCat(path, "/", archive));
      }
      continue;
    }
    GSG_ASSIGN_OR_RETURN(const std::vector<std::string> archives,
                         ExpandBraces(path));
    for (const std::string& archive : archives) {
      if (!fs::exists(archive, error)) {
        return absl::NotFoundError(
            absl::StrCat(archive, " does not exist",
                         archives.size() > 1 ? "; it is one of " : "",
                         archives.size() > 1 ? path : ""));
      }
      by_split[SplitOfArchive(fs::path(archive).filename().string())].push_back(
          archive);
    }
  }
  Archives archives;
  for (const Split split : {Split::kNone, Split::kTrain}) {
    std::vector<std::string>& some = by_split[split];
    archives.train.insert(archives.train.end(), some.begin(), some.end());
  }
  archives.test = by_split[Split::kVal];
  if (archives.test.empty()) {
    archives.test = by_split[Split::kTest];
  } else if (!by_split[Split::kTest].empty()) {
    archives.notes.push_back(
        absl::StrCat(Plural(by_split[Split::kTest].size(), "archive"),
                     " called as a test set, such as ",
                     by_split[Split::kTest].front(), ", not used"));
  }
  if (archives.train.empty()) std::swap(archives.train, archives.test);
  std::sort(archives.train.begin(), archives.train.end());
  std::sort(archives.test.begin(), archives.test.end());
  return archives;
}

// The images of some archives, in order.
struct Part {
  std::vector<std::string> names;
  std::vector<TarSource::Place> places;
  std::vector<int32_t> labels;  // empty, or one for each
  Findings passed_over;
};

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

bool IsIgnored(absl::string_view path) {
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (IsIgnoredName(name)) return true;
  }
  return false;
}

void PassOver(const std::string& name, Findings* findings) {
  ++findings->formats[SuffixOf(name)];
  findings->other = name;
}

// An image and its label, -1 if it has none.
struct Found {
  std::string name;
  TarSource::Place place;
  int32_t label = -1;
};

absl::Status AddArchive(const std::string& path, int32_t number,
                        std::vector<Found>* found, Findings* passed_over) {
  GSG_ASSIGN_OR_RETURN(Tar tar, ListTar(path));
  std::map<std::string, int32_t> labels;
  for (const TarMember& member : tar.members) {
    if (!member.plain || !absl::EndsWith(member.name, ".cls")) continue;
    GSG_ASSIGN_OR_RETURN(labels[Key(member.name, /*first_dot=*/false)],
                         Label(path, member));
  }
  for (TarMember& member : tar.members) {
    if (IsIgnored(member.name)) continue;
    if (!member.plain) {
      ++passed_over->special;
    } else if (IsImageName(member.name)) {
      Found image;
      for (const bool first_dot : {false, true}) {
        const auto label = labels.find(Key(member.name, first_dot));
        if (label != labels.end() && image.label < 0) {
          image.label = label->second;
        }
      }
      image.name = std::move(member.name);
      image.place = {number, {member.begin, member.size, tar.file_size}};
      found->push_back(std::move(image));
    } else if (!absl::EndsWith(member.name, ".cls")) {
      PassOver(member.name, passed_over);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Part> ReadPart(const std::vector<std::string>& archives) {
  std::vector<Found> found;
  Part part;
  for (size_t i = 0; i < archives.size(); ++i) {
    GSG_RETURN_IF_ERROR(AddArchive(archives[i], static_cast<int32_t>(i), &found,
                                   &part.passed_over));
  }
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        Plural(archives.size(), "archive"), " such as ", archives.front(),
        archives.size() == 1 ? " has" : " have", " no file whose name ends in ",
        kImageSuffixes, ", but ", part.passed_over.others(), " others",
        part.passed_over.others() > 0
            ? absl::StrCat(" (", FormatsIn(part.passed_over), ")")
            : "",
        HeifAdvice(part.passed_over)));
  }
  // Stable: where two archives have the name, in their order.
  std::stable_sort(
      found.begin(), found.end(),
      [](const Found& a, const Found& b) { return a.name < b.name; });
  const auto has_label = [](const Found& image) { return image.label >= 0; };
  const int64_t labeled = std::count_if(found.begin(), found.end(), has_label);
  const auto without = std::find_if_not(found.begin(), found.end(), has_label);
  if (labeled > 0 && without != found.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(archives[without->place.archive], ": ", without->name,
                     " has no .cls file beside it, and ", labeled,
                     " other images have one; give all of them one, or none"));
  }
  for (Found& image : found) {
    part.names.push_back(std::move(image.name));
    part.places.push_back(image.place);
    if (labeled > 0) part.labels.push_back(image.label);
  }
  return part;
}

std::unique_ptr<ImageSource> Source(std::vector<std::string> archives,
                                    Part part, int channels) {
  return std::make_unique<TarSource>(std::move(archives), part.names,
                                     std::move(part.places),
                                     std::move(part.labels), channels);
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

absl::StatusOr<Images> ReadShards(const std::vector<std::string>& paths,
                                  int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  GSG_ASSIGN_OR_RETURN(Archives archives, FindArchives(paths));
  Images images;
  images.notes = archives.notes;
  GSG_ASSIGN_OR_RETURN(Part train, ReadPart(archives.train));
  Findings passed_over = train.passed_over;
  const bool labeled = !train.labels.empty();
  if (labeled && !archives.test.empty()) {
    GSG_ASSIGN_OR_RETURN(Part test, ReadPart(archives.test));
    const int32_t classes =
        1 + *std::max_element(train.labels.begin(), train.labels.end());
    for (size_t i = 0; i < test.labels.size(); ++i) {
      if (test.labels[i] < classes) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(archives.test[test.places[i].archive], ": ",
                       test.names[i], " is of class ", test.labels[i],
                       "; those of training end at ", classes - 1));
    }
    passed_over.AddPassedOver(test.passed_over);
    if (test.labels.empty()) {
      images.notes.push_back(absl::StrCat(
          archives.test.front(),
          " has no .cls files: without labels there nothing is scored"));
    } else {
      for (int32_t c = 0; c < classes; ++c) {
        images.classes.push_back(absl::StrCat(c));
      }
      images.test = Source(archives.test, std::move(test), channels);
    }
  } else if (labeled) {
    images.notes.push_back(
        "the labels (.cls) are not used: nothing is scored without archives "
        "called as a validation set, as val-000.tar or val/000.tar");
  } else if (!archives.test.empty()) {
    images.notes.push_back(absl::StrCat(
        archives.test.front(), archives.test.size() > 1 ? ", ... are" : " is",
        " not used: ", archives.train.front(), " has no labels (.cls)"));
  }
  if (images.test == nullptr) train.labels.clear();
  images.train = Source(archives.train, std::move(train), channels);
  for (std::string& note : NotesOn(passed_over)) {
    images.notes.push_back(std::move(note));
  }
  return images;
}

}  // namespace gsg
