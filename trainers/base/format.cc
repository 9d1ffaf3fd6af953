#include "trainers/base/format.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gsg {

std::string GroupedNumber(double number) {
  if (!std::isfinite(number)) return "-";
  std::string text = absl::StrCat(std::llround(number));
  const int first = text.front() == '-' ? 1 : 0;
  for (int i = static_cast<int>(text.size()) - 3; i > first; i -= 3) {
    text.insert(i, ",");
  }
  return text;
}

std::string HumanDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "-";
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  // Rounded before it is split, so that there is no "1 min 60 s".
  const int64_t s = std::llround(seconds);
  if (s < 60) return absl::StrCat(s, " s");
  if (s < 3600) return absl::StrFormat("%d min %02d s", s / 60, s % 60);
  const int64_t min = std::llround(seconds / 60);
  if (min < 24 * 60)
    return absl::StrFormat("%d h %02d min", min / 60, min % 60);
  const int64_t h = std::llround(seconds / 3600);
  return absl::StrFormat("%d d %02d h", h / 24, h % 24);
}

std::string Wrapped(absl::string_view text, size_t width) {
  std::string result;
  size_t column = 0;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += '\n';
      column = 0;
    }
    if (column > 0) result += ' ';
    column += (column > 0 ? 1 : 0) + word.size();
    absl::StrAppend(&result, word);
  }
  return result;
}

}  // namespace gsg
