#ifndef GSG_TRAINERS_CONFIG_JSON_H_
#define GSG_TRAINERS_CONFIG_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// One JSON object: "method", then each field in the order of ForEachField.
// Numbers read back exactly. (Bytes of a path that are not UTF-8 do not.)
std::string ToJson(const Config& config);

// What ToJson wrote, now or before a field was added: one that is missing has
// its value of Config(). The values are validated.
// Errors: kInvalidArgument naming the key that is unknown, twice there, of the
// wrong type or out of range, or "method" if it is missing.
absl::StatusOr<Config> FromJson(absl::string_view text);

// Sets the fields that `text` names and leaves the others: a whole config.json
// or a part of one written by hand. Passes over "method" and over fields of
// the earlier invocation (Field::from_config). Does not validate.
// Errors: as FromJson, except for "method"; *config is then unspecified.
absl::Status OverlayJson(absl::string_view text, Config* config);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_JSON_H_
