#include "trainers/study/run_key.h"

#include <cstdint>
#include <set>
#include <string>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/config/resume.h"

namespace gsg {

std::string RunKey(const Config& config) {
  const std::set<std::string> void_fields = FieldsWithoutEffect(config);
  std::string text;
  for (const FieldDifference& field : DifferingFields(Config(), config)) {
    if (!DecidesRun(field) || field.name == "seed" ||
        void_fields.count(field.name) > 0) {
      continue;
    }
    absl::StrAppend(&text, field.name, "=", field.now, "\n");
  }
  return absl::StrFormat("%08x",
                         static_cast<uint32_t>(absl::ComputeCrc32c(text)));
}

absl::StatusOr<Config> ReadRunConfig(absl::string_view text) {
  Config config;
  GSG_RETURN_IF_ERROR(OverlayJson(text, &config));
  GSG_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    return absl::InvalidArgumentError("it does not say which method");
  }
  config.method = method->get<std::string>();
  return config;
}

}  // namespace gsg
