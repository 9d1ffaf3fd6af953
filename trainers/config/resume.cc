#include "trainers/config/resume.h"

#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/program_command.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

// The field called `name`, which is of type Value.
template <class Value>
Value Get(const Config& config, absl::string_view name) {
  Value result{};
  VisitFields(config, [&](const auto& value, const Field& field) {
    if constexpr (std::is_same_v<decltype(value), const Value&>) {
      if (field.name == name) result = value;
    }
  });
  return result;
}

}  // namespace

std::vector<FieldDifference> DifferingFields(const Config& saved,
                                             const Config& now) {
  std::vector<FieldDifference> differences;
  if (saved.method != now.method) {
    differences.push_back(
        {"method", saved.method, now.method, OnResume::kRefuse});
  }
  VisitFields(saved, [&](const auto& value, const Field& field) {
    using Value = std::decay_t<decltype(value)>;
    const Value other = Get<Value>(now, field.name);
    if (value != other) {
      OnResume on_resume = field.on_resume;
      if (on_resume == OnResume::kRaise) {
        on_resume = value < other ? OnResume::kWarn : OnResume::kRefuse;
      }
      differences.push_back({std::string(field.name), ValueText(value),
                             ValueText(other), on_resume});
    }
  });
  return differences;
}

// Resuming may change where and how long a run goes on; which images and how
// many steps decide all the same.
bool DecidesRun(const FieldDifference& field) {
  if (field.name == "recipe") return false;
  return field.on_resume == OnResume::kRefuse || field.name == "epochs" ||
         field.name == "data_dir" || field.name == "data_list" ||
         field.name == "max_steps";
}

std::vector<std::string> DecidingDifferences(const Config& a, const Config& b) {
  const std::set<std::string> void_in_a = FieldsWithoutEffect(a);
  const std::set<std::string> void_in_b = FieldsWithoutEffect(b);
  std::vector<std::string> names;
  for (const FieldDifference& field : DifferingFields(a, b)) {
    const bool matters =
        void_in_a.count(field.name) == 0 || void_in_b.count(field.name) == 0;
    if (matters && DecidesRun(field)) {
      names.push_back(field.name);
    }
  }
  return names;
}

absl::StatusOr<Config> ConfigForResume(const Config& saved, const Config& now,
                                       const std::set<std::string>& given) {
  if (saved.method != now.method) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--resume: the run has ", saved.method, ", and this program ",
        now.method, "; go on with\n  ", TrainingCommand(saved.method),
        " --resume --output_dir=", now.output_dir));
  }
  Config config = saved;
  VisitFields(config, [&](auto& value, const Field& field) {
    if (given.count(std::string(field.name)) > 0 || !field.from_config) {
      value = Get<std::decay_t<decltype(value)>>(now, field.name);
    }
  });
  std::string refused;
  for (const FieldDifference& difference : DifferingFields(saved, config)) {
    if (difference.on_resume != OnResume::kRefuse) continue;
    // A run with --minutes has had epochs since it knew how many these are.
    absl::StrAppend(
        &refused, refused.empty() ? "" : ", ", difference.name, "=",
        difference.now,
        difference.name == "minutes"
            ? absl::StrCat(" (the run has ", saved.epochs,
                           " epochs; --epochs changes that)")
            : absl::StrCat(" (the run has ", difference.saved, ")"));
  }
  if (!refused.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--resume cannot change ", refused,
        "; leave that out, or start a new run in another --output_dir"));
  }
  GSG_RETURN_IF_ERROR(Validate(config));
  return config;
}

}  // namespace gsg
