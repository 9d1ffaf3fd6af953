#include "trainers/image/passed_over.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trainers/image/codec/heif.h"
#include "trainers/image/folder_scan.h"

namespace gsg {

std::string Plural(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

std::string FormatsIn(const Findings& findings) {
  constexpr size_t kShown = 8;
  std::vector<std::pair<int64_t, std::string>> counts;
  for (const auto& [suffix, count] : findings.formats) {
    counts.emplace_back(-count, suffix);
  }
  std::sort(counts.begin(), counts.end());
  std::vector<std::string> texts;
  for (const auto& [count, suffix] : counts) {
    if (texts.size() == kShown) {
      texts.push_back("...");
      break;
    }
    texts.push_back(absl::StrCat(suffix, " ", -count));
  }
  return absl::StrJoin(texts, ", ");
}

std::string HeifAdvice(const Findings& findings) {
  for (const auto& [suffix, count] : findings.formats) {
    if (!NeedsHeif(suffix)) continue;
    return absl::StrCat(". For ", suffix, " files ", HasHeif().message());
  }
  return "";
}

std::string SheetsIn(const Findings& findings) {
  return absl::StrCat(Plural(findings.sheets, "sheet"),
                      " of thumbnails that explore wrote");
}

std::vector<std::string> NotesOn(const Findings& findings) {
  std::vector<std::string> notes;
  const auto were = [](int64_t count) { return count == 1 ? "was" : "were"; };
  if (const int64_t count = findings.others(); count > 0) {
    notes.push_back(absl::StrCat(
        Plural(count, "file"), " of other formats ", were(count),
        " passed over: ", FormatsIn(findings), HeifAdvice(findings)));
  }
  if (findings.sheets > 0) {
    notes.push_back(absl::StrCat(SheetsIn(findings), " ", were(findings.sheets),
                                 " passed over: ", findings.sheet,
                                 findings.sheets == 1 ? "" : ", ..."));
  }
  if (const int64_t count = findings.special; count > 0) {
    notes.push_back(absl::StrCat(count, " ", were(count),
                                 " passed over as no regular file (a pipe, "
                                 "socket or device)"));
  }
  if (const int64_t count = findings.repeated; count > 0) {
    notes.push_back(absl::StrCat(
        Plural(count, "link"), count == 1 ? " leads" : " lead",
        " to folders that are read already, lie above or are kept apart, and ",
        were(count), " not followed: ", findings.repeated_link,
        count == 1 ? "" : ", ..."));
  }
  if (const int64_t count = findings.replaced; count > 0) {
    notes.push_back(absl::StrCat(
        Plural(count, "file"), " ", were(count),
        " passed over because the archive has a later one of the same name: ",
        findings.replaced_one, count == 1 ? "" : ", ..."));
  }
  if (!findings.splits.empty()) {
    notes.push_back(absl::StrCat(
        "not trained on, because it is called as a validation or test set: ",
        findings.splits.front(), findings.splits.size() > 1 ? ", ..." : ""));
  }
  if (const size_t count = findings.beside.size(); count > 0) {
    notes.push_back(absl::StrCat(
        Plural(static_cast<int64_t>(count), "image"),
        count == 1 ? " is" : " are", " not trained on, because ",
        count == 1 ? "it lies" : "they lie", " beside the training set ",
        findings.training_set, ": ", findings.beside.front(),
        count == 1 ? "" : ", ...", "; to train on all, rename that folder"));
  }
  return notes;
}

}  // namespace gsg
