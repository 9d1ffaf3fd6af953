#ifndef GSG_TRAINERS_BASE_FORMAT_H_
#define GSG_TRAINERS_BASE_FORMAT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gsg {

// The rounded number, "1,234,567"; "-" if it is not finite.
std::string GroupedNumber(double number);

// At most two units, rounded: "0.4 s" (below 10 s), "12 s", "4 min 12 s",
// "2 h 05 min", "3 d 04 h"; "-" if infinite. `duration` is not negative.
std::string HumanDuration(absl::Duration duration);

// `text` in lines of at most `width` columns, broken at blanks.
std::string Wrapped(absl::string_view text, size_t width);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_FORMAT_H_
