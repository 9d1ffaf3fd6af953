#include "trainers/base/did_you_mean.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

// Damerau's distance in its restricted form (optimal string alignment).
size_t Edits(absl::string_view a, absl::string_view b) {
  // d[i][j]: edits from the first i letters of a to the first j of b.
  std::vector<std::vector<size_t>> d(a.size() + 1,
                                     std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1,
                          d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// What other programs of this field call things.
constexpr std::pair<absl::string_view, absl::string_view> kOtherNames[] = {
    {"arch", "backbone"},
    {"bs", "batch_size"},
    {"data", "data_dir"},
    {"data_path", "data_dir"},
    {"data_root", "data_dir"},
    {"exp_dir", "output_dir"},
    {"gpu", "cuda"},
    {"image_size", "crop_size"},
    {"img_size", "crop_size"},
    {"learning_rate", "base_lr"},
    {"log_dir", "output_dir"},
    {"lr", "base_lr"},
    {"model", "backbone"},
    {"num_epochs", "epochs"},
    {"num_workers", "loader_threads"},
    {"out", "output_dir"},
    {"out_dir", "output_dir"},
    {"save_dir", "output_dir"},
    {"wd", "weight_decay"},
    {"workers", "loader_threads"},
};

}  // namespace

absl::string_view Nearest(absl::string_view text,
                          const std::vector<absl::string_view>& names) {
  const std::string typed =
      absl::StrReplaceAll(absl::AsciiStrToLower(text), {{"-", "_"}});
  for (const auto& [other, ours] : kOtherNames) {
    if (typed != other) continue;
    const auto found = std::find(names.begin(), names.end(), ours);
    if (found != names.end()) return *found;
  }
  absl::string_view best;
  size_t best_edits = typed.size() / 3 + 1;
  for (absl::string_view name : names) {
    const size_t edits = Edits(typed, name);
    if (edits < best_edits) {
      best = name;
      best_edits = edits;
    }
  }
  if (!best.empty() || typed.size() < 2) return best;
  for (absl::string_view name : names) {
    if (absl::StrContains(name, typed) &&
        (best.empty() || name.size() < best.size())) {
      best = name;
    }
  }
  return best;
}

std::string DidYouMean(absl::string_view text,
                       const std::vector<absl::string_view>& names,
                       absl::string_view prefix) {
  const absl::string_view nearest = Nearest(text, names);
  return nearest.empty() ? ""
                         : absl::StrCat("did you mean ", prefix, nearest, "? ");
}

}  // namespace gsg
