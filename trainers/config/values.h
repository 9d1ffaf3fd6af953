#ifndef GSG_TRAINERS_CONFIG_VALUES_H_
#define GSG_TRAINERS_CONFIG_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
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
std::string ValueText(const std::string& value);
std::string ValueText(bool value);
std::string ValueText(int64_t value);
std::string ValueText(double value);

// Which values `field` takes, for --help; "" = any.
std::string AllowedText(const Field& field);

// Is this value of `field` allowed?
// Errors: kInvalidArgument: "--batch_size=0: must be at least 2".
absl::Status CheckValue(const Field& field, const std::string& value);
absl::Status CheckValue(const Field& field, bool value);
absl::Status CheckValue(const Field& field, int64_t value);
absl::Status CheckValue(const Field& field, double value);

// The same for each field of a struct that has a VisitFields.
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
