#include "trainers/report/html.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace gsg {

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

std::string FormatNumber(double value, int decimals) {
  if (!Measured(value)) return "–";
  const double size = std::abs(value);
  std::string digits;
  if (decimals < 0 && size < 1e7) {
    digits = absl::StrFormat("%.*g", -decimals, size);
    // 1.2e-06
    digits = absl::StrReplaceAll(
        digits, {{"e-0", "e−"}, {"e-", "e−"}, {"e+0", "e"}, {"e+", "e"}});
  } else if (size >= 1e7) {
    digits = absl::StrFormat("%.3g", size);
  } else {
    digits = absl::StrFormat("%.*f", decimals, size);
    const int whole = static_cast<int>(digits.find('.') == std::string::npos
                                           ? digits.size()
                                           : digits.find('.'));
    for (int i = whole - 3; i > 0; i -= 3) digits.insert(i, ",");
  }
  const bool is_zero = digits.find_first_not_of("0.,") == std::string::npos;
  return absl::StrCat(value < 0 && !is_zero ? "−" : "", digits);
}

std::string Svg(double length) {
  std::string text = absl::StrFormat("%.1f", length);
  if (text.size() > 2 && text.substr(text.size() - 2) == ".0") {
    text.resize(text.size() - 2);
  }
  return text;
}

}  // namespace gsg
