#ifndef GSG_TRAINERS_CONFIG_FLAGS_H_
#define GSG_TRAINERS_CONFIG_FLAGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gsg {

// A flag that a program knows.
struct Flag {
  enum class Kind {
    kSwitch,   // --name
    kBoolean,  // --name, --name=false, --noname
    kValue,    // --name=text, --name text
  };

  std::string name;
  Kind kind = Kind::kValue;
  std::string group;  // Heading in --help.
  std::string help;
  std::string value;  // Shown by --help as --name=value; may be empty.
};

// --help itself, which is also -h.
Flag HelpFlag(absl::string_view help);

// --version, and what it prints: "<program> 0.1.0" and a line feed.
Flag VersionFlag();
std::string VersionText(absl::string_view program);

// The flags on a command line: their names and, as text, their values. A
// boolean's is "true", "false" or what was written after "=", a switch's
// "true".
using GivenFlags = std::map<std::string, std::string>;

// Does not look at the values. Arguments that are no flags go to *arguments.
// Errors: kInvalidArgument: a flag that does not exist (naming the nearest),
// is there twice or lacks its value, or, if `arguments` is null, an argument
// that is no flag.
absl::StatusOr<GivenFlags> ParseFlags(
    const std::vector<Flag>& flags, int argc, const char* const* argv,
    std::vector<std::string>* arguments = nullptr);

// What --help prints: `introduction`, which ends in a line feed, how `program`
// is called, then each flag in its group. `arguments` stands for those that are
// no flags: "RUN...".
std::string HelpText(absl::string_view program, absl::string_view introduction,
                     const std::vector<Flag>& flags,
                     absl::string_view arguments = "");

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FLAGS_H_
