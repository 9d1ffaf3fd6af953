#ifndef GSG_TRAINERS_BASE_JSON_H_
#define GSG_TRAINERS_BASE_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// With keys in their order. What nlohmann's library compiles into each unit
// that parses or writes takes seconds: call these.
using Json = nlohmann::ordered_json;

// The JSON in `text`, which may be hostile.
// Errors: kInvalidArgument, saying where, if it is not JSON or has a number
// that is too large; if it is nested so deeply that recursion over it could
// overflow the stack; if an object has a key twice.
absl::StatusOr<Json> ParseJson(absl::string_view text);

// As text, on one line or indented. What is no UTF-8 becomes U+FFFD.
std::string JsonText(const Json& json, int indent = -1);

// `json` if it is a whole number of 64 bits. (nlohmann's get<int64_t>() takes
// fractions, too, and what is too large for it is undefined.)
std::optional<int64_t> WholeNumber(const Json& json);

// The same, for those who read by exceptions: throws std::invalid_argument,
// naming `name` and what it is.
int64_t WholeNumberOf(absl::string_view name, const Json& json);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_JSON_H_
