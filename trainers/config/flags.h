#ifndef GSG_TRAINERS_CONFIG_FLAGS_H_
#define GSG_TRAINERS_CONFIG_FLAGS_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

// The flags on a command line: their names and, as text, their values. A
// boolean's is "true", "false" or what was written after "=".
using GivenFlags = std::map<std::string, std::string>;

// Knows the fields of Config and help, list_recipes, print_config, config.
// Does not look at the values.
// Errors: kInvalidArgument: a flag that does not exist (naming the nearest),
// is there twice or lacks its value, or an argument that is no flag.
absl::StatusOr<GivenFlags> ParseFlags(int argc, const char* const* argv);

// What --help prints: each flag in its group, with its value in `values`.
std::string HelpText(absl::string_view method, const Config& values);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FLAGS_H_
