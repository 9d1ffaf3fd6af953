#ifndef GSG_TRAINERS_BASE_PARSE_JSON_H_
#define GSG_TRAINERS_BASE_PARSE_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// The JSON in `text`, which may be hostile, with its keys in their order.
// Errors: kInvalidArgument, saying where, if it is not JSON or has a number
// that is too large; if it is nested so deeply that recursion over it could
// overflow the stack; if an object has a key twice.
absl::StatusOr<nlohmann::ordered_json> ParseJson(absl::string_view text);

// `json` if it is a whole number of 64 bits. (nlohmann's get<int64_t>() takes
// fractions, too, and what is too large for it is undefined.)
std::optional<int64_t> WholeNumber(const nlohmann::ordered_json& json);

// The same, for those who read by exceptions: throws std::invalid_argument,
// naming `name` and what it is.
int64_t WholeNumberOf(absl::string_view name,
                      const nlohmann::ordered_json& json);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_PARSE_JSON_H_
