#include "trainers/image/folder_scan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/interrupt.h"
#include "trainers/image/codec/heif.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

template <size_t n>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[n]) {
  return std::find(names, names + n, name) != names + n;
}

bool IsArchiveName(absl::string_view name) {
  static constexpr absl::string_view kSuffixes[] = {
      ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"};
  return IsOneOf(SuffixOf(name), kSuffixes);
}

// Both are real paths.
bool IsWithin(absl::string_view path, absl::string_view folder) {
  return path == folder ||
         (absl::StartsWith(path, folder) &&
          (absl::EndsWith(folder, "/") || path[folder.size()] == '/'));
}

}  // namespace

std::string SuffixOf(absl::string_view path) {
  const absl::string_view name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return "no suffix";
  return absl::AsciiStrToLower(name.substr(dot));
}

bool IsImageName(absl::string_view name) {
  static constexpr absl::string_view kSuffixes[] = {
      ".jpg",  ".jpeg", ".png", ".webp", ".tif",
      ".tiff", ".gif",  ".bmp", ".ppm",  ".pgm"};
  const std::string suffix = SuffixOf(name);
  return IsOneOf(suffix, kSuffixes) || (NeedsHeif(suffix) && HasHeif().ok());
}

bool NeedsHeif(absl::string_view suffix) {
  static constexpr absl::string_view kSuffixes[] = {".heic", ".heif", ".avif"};
  return IsOneOf(suffix, kSuffixes);
}

bool IsIgnoredName(absl::string_view name) {
  static constexpr absl::string_view kNames[] = {
      "@eaDir",     "#recycle",    "#snapshot",
      "__MACOSX",   "lost+found",  "$RECYCLE.BIN",
      "Thumbs.db",  "desktop.ini", "System Volume Information",
      "__pycache__"};
  return absl::StartsWith(name, ".") || IsOneOf(name, kNames);
}

std::string TableBesideSheet(absl::string_view path) {
  constexpr size_t kDigits = 16;
  const size_t slash = path.rfind('/');
  if (slash == path.npos || !absl::ConsumeSuffix(&path, ".jpg")) return "";
  const absl::string_view digits = path.substr(slash + 1);
  if (digits.size() != kDigits ||
      !std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) {
    return "";
  }
  absl::string_view top = path.substr(0, slash);
  if (!absl::ConsumeSuffix(&top, kSheetsFolder) ||
      !(top.empty() || absl::EndsWith(top, "/"))) {
    return "";
  }
  return absl::StrCat(top, kNeighborsFile);
}

bool IsThumbnailSheet(const std::string& path) {
  const std::string table = TableBesideSheet(path);
  std::error_code error;
  return !table.empty() && fs::exists(table, error);
}

Split SplitOf(absl::string_view name) {
  static constexpr absl::string_view kTrain[] = {"train", "training"};
  static constexpr absl::string_view kVal[] = {"val", "valid", "validation",
                                               "dev"};
  static constexpr absl::string_view kTest[] = {"test", "testing"};
  // Additions that do not change what it is, as in COCO's val2017.
  static constexpr absl::string_view kAdditions[] = {"set",    "split", "data",
                                                     "images", "image", "imgs"};
  const auto starts_word = [](char c) {
    return absl::ascii_isdigit(c) || c == '_' || c == '-' || c == ' ' ||
           c == '.';
  };
  const std::string lower = absl::AsciiStrToLower(name);
  const size_t end =
      std::find_if(lower.begin(), lower.end(), starts_word) - lower.begin();
  for (absl::string_view word :
       absl::StrSplit(absl::string_view(lower).substr(end),
                      absl::ByAnyChar("_- .0123456789"), absl::SkipEmpty())) {
    if (!IsOneOf(word, kAdditions)) return Split::kNone;
  }
  const absl::string_view word = absl::string_view(lower).substr(0, end);
  if (IsOneOf(word, kTrain)) return Split::kTrain;
  if (IsOneOf(word, kVal)) return Split::kVal;
  if (IsOneOf(word, kTest)) return Split::kTest;
  return Split::kNone;
}

int64_t Findings::others() const {
  int64_t sum = 0;
  for (const auto& [suffix, count] : formats) sum += count;
  return sum;
}

void Findings::AddPassedOver(const Findings& more) {
  for (const auto& [suffix, count] : more.formats) formats[suffix] += count;
  if (other.empty()) other = more.other;
  if (archive.empty()) archive = more.archive;
  sheets += more.sheets;
  if (sheet.empty()) sheet = more.sheet;
  special += more.special;
  repeated += more.repeated;
  if (repeated_link.empty()) repeated_link = more.repeated_link;
  replaced += more.replaced;
  if (replaced_one.empty()) replaced_one = more.replaced_one;
  splits.insert(splits.end(), more.splits.begin(), more.splits.end());
  beside.insert(beside.end(), more.beside.begin(), more.beside.end());
  if (training_set.empty()) training_set = more.training_set;
}

void FolderScan::KeepOut(const std::string& folder) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (!error) keep_out_.push_back(real.string());
}

// False if it has been entered, or cannot be.
bool FolderScan::EnterOnce(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return true;  // reading it says why
  return seen_.insert({info.st_dev, info.st_ino}).second;
}

bool FolderScan::MayFollow(const std::string& path) {
  std::error_code error;
  const std::string real = fs::canonical(path, error).string();
  if (error) return false;
  return std::none_of(
      keep_out_.begin(), keep_out_.end(),
      [&](const std::string& folder) { return IsWithin(real, folder); });
}

absl::Status FolderScan::Walk(const std::string& path, const std::string& below,
                              Findings* findings, std::vector<Link>* links) {
  if (Interrupted() != 0) {
    return absl::CancelledError(
        absl::StrCat("interrupted while folder ", path, " was read"));
  }
  std::error_code error;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code unknown;  // a link that leads nowhere is not a folder
    const std::string name = it->path().filename().string();
    if (IsIgnoredName(name)) continue;
    std::string inner = below.empty() ? name : absl::StrCat(below, "/", name);
    if (it->is_directory(unknown)) {
      if (training_ && SplitOf(name) >= Split::kVal) {
        findings->splits.push_back(std::move(inner));
      } else if (it->is_symlink(unknown)) {
        links->push_back({it->path().string(), std::move(inner)});
      } else if (EnterOnce(it->path().string())) {
        GSG_RETURN_IF_ERROR(Walk(it->path().string(), inner, findings, links));
      }
    } else if (it->exists(unknown) && !it->is_regular_file(unknown)) {
      ++findings->special;
    } else if (!below.empty() && IsThumbnailSheet(it->path().string())) {
      ++findings->sheets;
      findings->sheet = std::move(inner);
    } else if (IsImageName(name)) {
      findings->images.push_back(std::move(inner));
    } else {
      ++findings->formats[SuffixOf(name)];
      if (IsArchiveName(name)) findings->archive = inner;
      findings->other = std::move(inner);
    }
  }
  if (!error) return absl::OkStatus();
  return absl::ErrnoToStatus(
      error.value(),
      absl::StrCat("folder ", path,
                   " cannot be read (make it readable, or move it elsewhere)"));
}

absl::StatusOr<Findings> FolderScan::Run(const std::string& dir,
                                         const std::string& part) {
  const std::string top = part.empty() ? dir : absl::StrCat(dir, "/", part);
  // A link to a folder above would lead back here, and to what else is there.
  std::error_code error;
  fs::path above = fs::canonical(top, error);
  EnterOnce(top);
  while (!error && above.has_relative_path()) {
    above = above.parent_path();
    EnterOnce(above.string());
  }
  Findings findings;
  std::vector<Link> links;
  GSG_RETURN_IF_ERROR(Walk(top, part, &findings, &links));
  // Behind links there may be more of them: as long as there are any.
  while (!links.empty()) {
    std::sort(links.begin(), links.end(),
              [](const Link& a, const Link& b) { return a.below < b.below; });
    std::vector<Link> more;
    for (const Link& link : links) {
      if (MayFollow(link.path) && EnterOnce(link.path)) {
        GSG_RETURN_IF_ERROR(Walk(link.path, link.below, &findings, &more));
      } else {
        ++findings.repeated;
        findings.repeated_link = link.below;
      }
    }
    links = std::move(more);
  }
  std::sort(findings.images.begin(), findings.images.end());
  std::sort(findings.splits.begin(), findings.splits.end());
  return findings;
}

}  // namespace gsg
