#include "trainers/config/json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/base/json.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

constexpr char kMethod[] = "method";

std::string Quoted(absl::string_view key) {
  return absl::StrCat("\"", key, "\"");
}

absl::StatusOr<Json> ParseObject(absl::string_view text) {
  absl::StatusOr<Json> object = ParseJson(text);
  if (object.ok() && !object->is_object()) {
    return absl::InvalidArgumentError(
        "must be a JSON object, {\"epochs\": 10, ...}");
  }
  return object;
}

// JSON is UTF-8, paths need not be. One that is not is written as
// {"bytes": text}, with a character U+0000 to U+00FF for each of its bytes:
// Python's json.load(...)["bytes"].encode("latin-1").
constexpr char kBytes[] = "bytes";

bool IsUtf8(const std::string& text) {
  try {
    Json(text).dump();
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

std::string ToLatin1(absl::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x80) text.push_back(static_cast<char>(0xC0 | byte >> 6));
    text.push_back(byte >= 0x80 ? static_cast<char>(0x80 | (byte & 0x3F)) : c);
  }
  return text;
}

// `text` is UTF-8. False if a character is none of ToLatin1's.
bool FromLatin1(absl::string_view text, std::string* bytes) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      result.push_back(text[i]);
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
      result.push_back(static_cast<char>(
          lead << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F)));
    } else {
      return false;
    }
  }
  *bytes = std::move(result);
  return true;
}

// Empty if `json` had the right type and is now in *value, else what it must
// be.
std::string Read(const Json& json, std::string* value) {
  if (json.is_object() && json.size() == 1 && json.contains(kBytes) &&
      json[kBytes].is_string()) {
    return FromLatin1(json[kBytes].get<std::string>(), value) ? "" : "a string";
  }
  if (!json.is_string()) return "a string";
  *value = json.get<std::string>();
  return "";
}

std::string Read(const Json& json, bool* value) {
  if (!json.is_boolean()) return "true or false";
  *value = json.get<bool>();
  return "";
}

std::string Read(const Json& json, int64_t* value) {
  const std::optional<int64_t> number = WholeNumber(json);
  if (!number) return "a whole number";
  *value = *number;
  return "";
}

std::string Read(const Json& json, double* value) {
  if (!json.is_number()) return "a number";
  *value = json.get<double>();
  return "";
}

template <class Value>
absl::Status Set(const Json& object, absl::string_view key, Value* value) {
  const Json& json = object.at(std::string(key));
  std::string expected;
  if constexpr (std::is_enum_v<Value>) {
    std::string name;
    expected = Read(json, &name);
    if (expected.empty()) return ParseFlag(key, name, value);
  } else {
    expected = Read(json, value);
  }
  if (expected.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(key), ": must be ", expected, ", not ", JsonText(json)));
}

// Sets the fields of *config that `object` has; unless `whole`, only those that
// --config brings along.
absl::Status SetFields(const Json& object, bool whole, Config* config) {
  std::vector<absl::string_view> keys;
  absl::Status status;
  const auto set = [&](absl::string_view key, bool keep, auto* value) {
    keys.push_back(key);
    if (!object.contains(std::string(key))) return;
    auto read = *value;
    status.Update(Set(object, key, &read));
    if (keep) *value = read;
  };
  set(kMethod, whole, &config->method);
  VisitFields(*config, [&](auto& value, const Field& field) {
    set(field.name, whole || field.from_config, &value);
  });
  for (const auto& item : object.items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown key ", Quoted(item.key()), "; ",
                       DidYouMean(item.key(), keys), "see --help"));
    }
  }
  return status;
}

}  // namespace

std::string ToJson(const Config& config) {
  Json object;
  object[kMethod] = config.method;
  VisitFields(config, [&object](const auto& value, const Field& field) {
    Json& json = object[std::string(field.name)];
    if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
      json = ValueText(value);
    } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>,
                                        std::string>) {
      if (IsUtf8(value)) {
        json = value;
      } else {
        json = {{kBytes, ToLatin1(value)}};
      }
    } else {
      json = value;
    }
  });
  return JsonText(object, 2);
}

absl::StatusOr<Config> FromJson(absl::string_view text) {
  GSG_ASSIGN_OR_RETURN(Json object, ParseObject(text));
  Config config;
  absl::Status status = SetFields(object, /*whole=*/true, &config);
  if (!object.contains(kMethod)) {
    status.Update(absl::InvalidArgumentError(
        absl::StrCat("key ", Quoted(kMethod), " is missing")));
  }
  status.Update(Validate(config));
  if (!status.ok()) return status;
  return config;
}

absl::Status OverlayJson(absl::string_view text, Config* config) {
  GSG_ASSIGN_OR_RETURN(const Json object, ParseObject(text));
  return SetFields(object, /*whole=*/false, config);
}

}  // namespace gsg
