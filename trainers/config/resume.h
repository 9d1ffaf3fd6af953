#ifndef GSG_TRAINERS_CONFIG_RESUME_H_
#define GSG_TRAINERS_CONFIG_RESUME_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"

namespace gsg {

struct FieldDifference {
  std::string name;
  std::string saved;
  std::string now;
  OnResume on_resume;
};

// The fields, and "method", in which two configs differ.
std::vector<FieldDifference> DifferingFields(const Config& saved,
                                             const Config& now);

// Does the field decide what a run comes to? Where files lie and how fast it
// goes do not, nor does the recipe's name.
bool DecidesRun(const FieldDifference& field);

// The names of the fields that do and have an effect, in which two configs
// differ.
std::vector<std::string> DecidingDifferences(const Config& a, const Config& b);

// The config with which to continue a run: `saved`, with the flags `given` on
// the command line, and those of this invocation alone, taken from `now`.
// Errors: kFailedPrecondition naming each flag that would make it another run
// (OnResume::kRefuse), or if it is another method's, the command that goes on
// with it; Validate's. Where the result differs from `saved` in an
// OnResume::kWarn field the user should hear that it is not bit for bit.
absl::StatusOr<Config> ConfigForResume(const Config& saved, const Config& now,
                                       const std::set<std::string>& given);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_RESUME_H_
