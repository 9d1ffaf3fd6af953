#include "trainers/study/run_key.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/crc/crc32c.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/json.h"
#include "trainers/config/resume.h"

namespace gsg {
namespace {

// Resuming may change where and how long a run goes on; which images and how
// many steps decide all the same.
bool Decides(absl::string_view field, OnResume on_resume) {
  if (field == "recipe") return false;
  return on_resume == OnResume::kRefuse || field == "epochs" ||
         field == "data_dir" || field == "max_steps";
}

}  // namespace

std::string RunKey(const Config& config) {
  const std::set<std::string> void_fields = FieldsWithoutEffect(config);
  std::string text;
  for (const FieldDifference& field : DifferingFields(Config(), config)) {
    if (!Decides(field.name, field.on_resume) || field.name == "seed" ||
        void_fields.count(field.name) > 0) {
      continue;
    }
    absl::StrAppend(&text, field.name, "=", field.now, "\n");
  }
  return absl::StrFormat("%08x",
                         static_cast<uint32_t>(absl::ComputeCrc32c(text)));
}

std::vector<std::string> DecidingDifferences(const Config& a, const Config& b) {
  const std::set<std::string> void_in_a = FieldsWithoutEffect(a);
  const std::set<std::string> void_in_b = FieldsWithoutEffect(b);
  std::vector<std::string> names;
  for (const FieldDifference& field : DifferingFields(a, b)) {
    const bool matters =
        void_in_a.count(field.name) == 0 || void_in_b.count(field.name) == 0;
    if (matters && Decides(field.name, field.on_resume)) {
      names.push_back(field.name);
    }
  }
  return names;
}

absl::StatusOr<Config> ReadRunConfig(absl::string_view text) {
  Config config;
  GSG_RETURN_IF_ERROR(OverlayJson(text, &config));
  // That it is JSON was seen above.
  const nlohmann::json json = nlohmann::json::parse(text);
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    return absl::InvalidArgumentError("it does not say which method");
  }
  config.method = method->get<std::string>();
  return config;
}

}  // namespace gsg
