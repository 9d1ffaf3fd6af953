// From a struct of options to its flags and back. Its ForEachField (field.h)
// says what they are.

#ifndef GSG_TRAINERS_CONFIG_FIELD_FLAGS_H_
#define GSG_TRAINERS_CONFIG_FIELD_FLAGS_H_

#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/config/field.h"
#include "trainers/config/flags.h"
#include "trainers/config/paths.h"
#include "trainers/config/values.h"

namespace gsg {

// A flag for each field, in order; --help shows the values in `options`.
template <class Options>
std::vector<Flag> FieldFlags(const Options& options) {
  std::vector<Flag> flags;
  VisitFields(options, [&](const auto& value, const Field& field) {
    const std::string allowed = AllowedText(field);
    flags.push_back(
        {std::string(field.name),
         std::is_same_v<decltype(value), const bool&> ? Flag::Kind::kBoolean
                                                      : Flag::Kind::kValue,
         std::string(field.group),
         allowed.empty() ? std::string(field.help)
                         : absl::StrCat(field.help, " [", allowed, "]"),
         ValueText(value)});
  });
  return flags;
}

// Sets the fields that `given` names.
// Errors: kInvalidArgument naming the flag and the value, if that is of the
// wrong type. Whether it is allowed is CheckFields' question
// (values.h).
template <class Options>
absl::Status SetFields(const GivenFlags& given, Options* options) {
  absl::Status status;
  VisitFields(*options, [&](auto& value, const Field& field) {
    const auto flag = given.find(std::string(field.name));
    if (flag == given.end()) return;
    const auto& [name, text] = *flag;
    status.Update(ParseFlag(name, text, &value));
  });
  return status;
}

// Turns the paths into UserPaths (paths.h).
template <class Options>
void ResolvePaths(Options* options) {
  VisitFields(*options, [](auto& value, const Field& field) {
    if constexpr (std::is_same_v<decltype(value), std::string&>) {
      if (field.is_path) value = UserPath(value, field.is_list);
      if (field.is_kept) value = AbsolutePath(value, field.is_list);
    }
  });
}

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FIELD_FLAGS_H_
