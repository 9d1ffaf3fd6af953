#include "trainers/console/confusion_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "trainers/base/format.h"

namespace gsg {
namespace {

constexpr size_t kWholeTable = 20;
constexpr size_t kMistakes = 20;
constexpr size_t kLongestName = 24;

std::string Short(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  size_t end = kLongestName - 2;
  // Not within a letter of several bytes.
  while (end > 0 && (name[end] & 0xC0) == 0x80) --end;
  return name.substr(0, end) + "..";
}

std::string WholeTable(absl::Span<const int64_t> counts,
                       const std::vector<std::string>& classes) {
  const size_t n = classes.size();
  size_t name_width = 0;
  for (const std::string& name : classes) {
    name_width = std::max(name_width, Short(name).size());
  }
  const int64_t largest = *std::max_element(counts.begin(), counts.end());
  const int width = static_cast<int>(absl::StrCat(largest).size()) + 1;
  // Columns have their class's number, for which names are too long.
  std::string table(3 + name_width, ' ');
  for (size_t p = 0; p < n; ++p) absl::StrAppendFormat(&table, "%*d", width, p);
  absl::StrAppend(&table, "  right\n");
  for (size_t c = 0; c < n; ++c) {
    const absl::Span<const int64_t> row = counts.subspan(c * n, n);
    const auto images = std::accumulate(row.begin(), row.end(), int64_t{0});
    if (images == 0) continue;
    absl::StrAppendFormat(&table, "%2d %-*s", c, static_cast<int>(name_width),
                          Short(classes[c]));
    for (const int64_t count : row) {
      absl::StrAppendFormat(&table, "%*s", width,
                            count == 0 ? "." : absl::StrCat(count));
    }
    absl::StrAppendFormat(
        &table, " %5.1f%%\n",
        100.0 * static_cast<double>(row[c]) / static_cast<double>(images));
  }
  return table;
}

std::string Mistakes(absl::Span<const int64_t> counts,
                     const std::vector<std::string>& classes) {
  const size_t n = classes.size();
  std::vector<size_t> cells;
  for (size_t cell = 0; cell < counts.size(); ++cell) {
    if (cell / n != cell % n && counts[cell] > 0) cells.push_back(cell);
  }
  const size_t shown = std::min(kMistakes, cells.size());
  std::partial_sort(cells.begin(), cells.begin() + shown, cells.end(),
                    [&](size_t a, size_t b) {
                      return counts[a] != counts[b] ? counts[a] > counts[b]
                                                    : a < b;
                    });
  std::string table =
      absl::StrFormat("%7s %8s  %-*s %s\n", "images", "of class",
                      static_cast<int>(kLongestName), "class", "taken for");
  for (size_t i = 0; i < shown; ++i) {
    const size_t c = cells[i] / n, p = cells[i] % n;
    const absl::Span<const int64_t> row = counts.subspan(c * n, n);
    const auto images = std::accumulate(row.begin(), row.end(), int64_t{0});
    absl::StrAppendFormat(&table, "%7s %7.1f%%  %-*s %s\n",
                          GroupedNumber(static_cast<double>(counts[cells[i]])),
                          100.0 * static_cast<double>(counts[cells[i]]) /
                              static_cast<double>(images),
                          static_cast<int>(kLongestName), Short(classes[c]),
                          Short(classes[p]));
  }
  return table;
}

}  // namespace

std::string ConfusionTable(absl::Span<const int64_t> counts,
                           const std::vector<std::string>& classes) {
  return classes.size() <= kWholeTable ? WholeTable(counts, classes)
                                       : Mistakes(counts, classes);
}

}  // namespace gsg
