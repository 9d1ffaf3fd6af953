#ifndef GSG_TRAINERS_CONFIG_VALUES_H_
#define GSG_TRAINERS_CONFIG_VALUES_H_

#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"

namespace gsg {

// A field's value from text, and back. Strict: the whole text, no blanks, no
// infinity. Numbers print in the fewest digits that read back exactly.
// Errors: kInvalidArgument, "must be a whole number" and the like, to follow
// the name and value of what was wrong. *value is then unchanged.
absl::Status ParseValue(absl::string_view text, std::string* value);
absl::Status ParseValue(absl::string_view text, bool* value);
absl::Status ParseValue(absl::string_view text, int64_t* value);
absl::Status ParseValue(absl::string_view text, double* value);
absl::Status ParseValue(absl::string_view text, Distance* value);
absl::Status ParseValue(absl::string_view text, Selection* value);
absl::Status ParseValue(absl::string_view text, PairingKind* value);
std::string ValueText(const std::string& value);
std::string ValueText(bool value);
std::string ValueText(int64_t value);
std::string ValueText(double value);
std::string ValueText(Distance value);
std::string ValueText(Selection value);
std::string ValueText(PairingKind value);

// ParseValue, whose errors name the flag: "--epochs=x: must be a whole number".
template <class Value>
absl::Status ParseFlag(absl::string_view name, absl::string_view text,
                       Value* value) {
  const absl::Status parsed = ParseValue(text, value);
  if (parsed.ok()) return parsed;
  return absl::InvalidArgumentError(
      absl::StrCat("--", name, "=", text, ": ", parsed.message()));
}

// Which values `field` takes, for --help; "" = any.
std::string AllowedText(const Field& field);

// Is this value of `field` allowed?
// Errors: kInvalidArgument: "--batch_size=0: must be at least 2".
absl::Status CheckValue(const Field& field, const std::string& value);
absl::Status CheckValue(const Field& field, bool value);
absl::Status CheckValue(const Field& field, int64_t value);
absl::Status CheckValue(const Field& field, double value);
template <class Enum, class = std::enable_if_t<std::is_enum_v<Enum>>>
absl::Status CheckValue(const Field& field, Enum value) {
  return CheckValue(field, ValueText(value));
}

// The same for each field of a struct of options.
template <class Options>
absl::Status CheckFields(const Options& options) {
  absl::Status status;
  VisitFields(options, [&status](const auto& value, const Field& field) {
    status.Update(CheckValue(field, value));
  });
  return status;
}

// Is each value allowed, and do they go together?
// Errors: those of CheckValue; kInvalidArgument naming the flags that do not.
absl::Status Validate(const Config& config);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_VALUES_H_
