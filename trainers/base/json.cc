#include "trainers/base/json.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

constexpr int kMaxDepth = 16;

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string repeated;
  bool too_deep = false;
  const auto note = [&](int depth, Json::parse_event_t event,
                        const Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    too_deep |= depth > kMaxDepth;
    return true;
  };
  Json json;
  try {
    json = Json::parse(text.begin(), text.end(), note);
  } catch (const Json::exception& error) {
    // Without the library's own "[json.exception.parse_error.101] ".
    const absl::string_view what = error.what();
    return absl::InvalidArgumentError(
        absl::StrCat("not JSON: ", what.substr(what.find("] ") + 2)));
  }
  if (too_deep) return absl::InvalidArgumentError("nested too deeply");
  if (!repeated.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key \"", repeated, "\" is there twice"));
  }
  return json;
}

std::string JsonText(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false,
                   Json::error_handler_t::replace);
}

std::optional<int64_t> WholeNumber(const Json& json) {
  constexpr uint64_t kLargest = std::numeric_limits<int64_t>::max();
  if (!json.is_number_integer() ||
      (json.is_number_unsigned() && json.get<uint64_t>() > kLargest)) {
    return std::nullopt;
  }
  return json.get<int64_t>();
}

int64_t WholeNumberOf(absl::string_view name, const Json& json) {
  const std::optional<int64_t> number = WholeNumber(json);
  if (!number) {
    throw std::invalid_argument(absl::StrCat(
        name, " must be a whole number; it is ", JsonText(json).substr(0, 40)));
  }
  return *number;
}

}  // namespace gsg
