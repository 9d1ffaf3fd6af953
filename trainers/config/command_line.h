#ifndef GSG_TRAINERS_CONFIG_COMMAND_LINE_H_
#define GSG_TRAINERS_CONFIG_COMMAND_LINE_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"

namespace gsg {

struct CommandLine {
  Config config;                // Resolved and valid.
  std::set<std::string> given;  // Fields that a flag named.
  // For --help, --list_recipes and --print_config: print this, ending in a
  // newline, and exit with success. Empty: run.
  std::string print;
};

// The flags are the fields of Config, --config=FILE and those that print.
// A value comes from, each overriding the last: the defaults of Config, the
// recipe (--recipe, else the one in FILE, else photos for --dataset=folder and
// `default_recipe` for others), FILE (JSON, see OverlayJson), the flags. Paths
// are UserPaths (paths.h).
//
// `method` names the program (methods.h) and becomes Config::method; one that
// is not guided takes two views and --selection=none from any recipe.
// Errors: kInvalidArgument naming the flag, the value and, for a name not
// known, the nearest that is, or for a flag without effect beside the other
// values; kNotFound if FILE cannot be read.
absl::StatusOr<CommandLine> ParseCommandLine(absl::string_view method,
                                             absl::string_view default_recipe,
                                             int argc, const char* const* argv);

// The fields that have no effect beside the others' values, such as distance
// where the method is not guided. None for a method that does not exist.
std::set<std::string> FieldsWithoutEffect(const Config& config);

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_COMMAND_LINE_H_
