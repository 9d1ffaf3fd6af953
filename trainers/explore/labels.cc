#include "trainers/explore/labels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trainers/explore/neighbors.h"
#include "trainers/image/folder_scan.h"

namespace gsg {
namespace {

constexpr double kTemperature = 0.1;
constexpr double kUnsure = 0.02;
constexpr int64_t kFewest = 5;

// Paths behind the archives that images are in, and behind the folders that
// were packed: those that all of them lie in. Without archives, as they are.
std::vector<absl::string_view> BehindArchives(
    absl::Span<const std::string> paths) {
  std::vector<absl::string_view> below(paths.begin(), paths.end());
  bool packed = !below.empty();
  for (absl::string_view& path : below) {
    const size_t archive = absl::AsciiStrToLower(path).find(".tar/");
    if (archive == absl::string_view::npos) {
      packed = false;
    } else {
      path.remove_prefix(archive + 5);
    }
  }
  while (packed) {
    const absl::string_view top = below[0].substr(0, below[0].find('/') + 1);
    packed = !top.empty() && std::all_of(below.begin(), below.end(),
                                         [&](absl::string_view path) {
                                           return absl::StartsWith(path, top);
                                         });
    for (absl::string_view& path : below) {
      if (packed) path.remove_prefix(top.size());
    }
  }
  return below;
}

// The class folder of a path, or "".
absl::string_view ClassOf(absl::string_view path) {
  for (;;) {
    const size_t slash = path.find('/');
    if (slash == absl::string_view::npos) return "";
    const absl::string_view first = path.substr(0, slash);
    if (SplitOf(first) == Split::kNone) return first;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

ClassFolders FindClassFolders(absl::Span<const std::string> paths,
                              bool any_size) {
  const std::vector<absl::string_view> below = BehindArchives(paths);
  std::map<absl::string_view, int64_t> counts;
  for (const absl::string_view path : below) ++counts[ClassOf(path)];
  if (counts.size() < 2 || counts.count("") > 0) return {};
  std::vector<int64_t> sizes;
  ClassFolders result;
  std::map<absl::string_view, int32_t> numbers;
  for (const auto& [name, count] : counts) {
    sizes.push_back(count);
    numbers[name] = static_cast<int32_t>(result.names.size());
    result.names.emplace_back(name);
  }
  std::nth_element(sizes.begin(), sizes.begin() + sizes.size() / 2,
                   sizes.end());
  if (!any_size && sizes[sizes.size() / 2] < kFewest) return {};
  for (const absl::string_view path : below) {
    result.labels.push_back(numbers[ClassOf(path)]);
  }
  return result;
}

absl::StatusOr<SuspiciousLabels> FindSuspiciousLabels(
    const Neighbors& neighbors, absl::Span<const int32_t> labels,
    absl::Span<const int32_t> group) {
  const auto n = static_cast<size_t>(neighbors.n);
  if (labels.size() != n || group.size() != n) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", labels.size(), " labels and ", group.size(),
                     " groups of copies; of neighbors ", n));
  }
  SuspiciousLabels result;
  for (int64_t i = 0; i < neighbors.n; ++i) {
    std::map<int32_t, double> weights;
    std::set<int32_t> voted;
    if (group[i] >= 0) voted.insert(group[i]);
    double all = 0;
    for (int64_t k = 0; k < neighbors.k; ++k) {
      const int32_t j = neighbors.of(i)[k];
      if (group[j] >= 0 && !voted.insert(group[j]).second) continue;
      const double weight =
          std::exp((neighbors.cosines_of(i)[k] - 1) / kTemperature);
      weights[labels[j]] += weight;
      all += weight;
    }
    if (all == 0) continue;
    LabelVote vote;
    vote.index = i;
    vote.label = labels[i];
    vote.suggested = -1;
    for (const auto& [label, weight] : weights) {
      if (label == labels[i]) {
        vote.own = weight / all;
      } else if (weight / all > vote.other) {
        vote.other = weight / all;
        vote.suggested = label;
      }
    }
    if (vote.suggested < 0) continue;
    if (vote.other > vote.own) {
      result.wrong.push_back(vote);
    } else if (vote.other > vote.own / 2) {
      result.border.push_back(vote);
    }
  }
  const auto surer = [](const LabelVote& a, const LabelVote& b) {
    return (a.other + kUnsure) * (b.own + kUnsure) >
           (b.other + kUnsure) * (a.own + kUnsure);
  };
  std::stable_sort(result.wrong.begin(), result.wrong.end(), surer);
  std::stable_sort(result.border.begin(), result.border.end(), surer);
  return result;
}

}  // namespace gsg
