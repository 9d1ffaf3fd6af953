#ifndef GSG_TRAINERS_REPORT_HTML_H_
#define GSG_TRAINERS_REPORT_HTML_H_

#include <cmath>
#include <string>

#include "absl/strings/string_view.h"

namespace gsg {

// Text safe in HTML content and in quoted attributes.
std::string EscapeHtml(absl::string_view text);

// Whether a number can be shown. NaN stands for "not measured"; infinities and
// numbers beyond any axis come from a diverged run.
inline bool Measured(double value) { return std::abs(value) < 1e100; }

// A number as read: a true minus sign, thousands separated, `decimals` digits
// after the point, or, if `decimals` is negative, that many significant ones
// ("0.0012", "1.2e−6"); three significant digits from 10^7 on; an en dash if it
// is not measured.
std::string FormatNumber(double value, int decimals);

// A length in SVG user units, to a tenth.
std::string Svg(double length);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_HTML_H_
