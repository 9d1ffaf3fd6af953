// What the programs around a run share: from the command line to options, and
// from a status to a message and an exit code.

#ifndef GSG_TRAINERS_PROGRAMS_PROGRAM_H_
#define GSG_TRAINERS_PROGRAMS_PROGRAM_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/base/interrupt.h"
#include "trainers/base/memory.h"
#include "trainers/config/field_flags.h"
#include "trainers/config/flags.h"
#include "trainers/config/paths.h"
#include "trainers/config/values.h"

namespace gsg {

// `Options` has defaults, a ForEachField (config/field.h) and
//   absl::Status Validate(const Options&)
// for what the fields do not say one by one.
template <class Options>
struct Program {
  absl::string_view name;
  absl::string_view introduction;  // of --help; ends in a line feed
  absl::Status (*run)(const Options& options);
  // Where arguments go that are no flags, all of them paths, and what --help
  // calls them; null: there are none.
  std::vector<std::string> Options::*arguments = nullptr;
  absl::string_view arguments_name = "";
  // Of what to do when memory runs out, where something helps: "use less".
  absl::string_view memory_advice = "";
};

// Prints "<program>: <message>" on stderr and returns `exit_code`.
int Complain(absl::string_view program, const absl::Status& status,
             int exit_code);

// `status`, which gets the advice if it is a MemoryError.
absl::Status WithMemoryAdvice(absl::Status status, absl::string_view advice);

// Prints `text` on stdout and returns 0.
int Print(absl::string_view text);

// Returns the exit code: 0; 1 after an error; 2 for a wrong command line; 128
// and the signal's number if one has ended it (base/interrupt.h). An error has
// been printed, in one message. Paths are UserPaths.
template <class Options>
int ProgramMain(const Program<Options>& program, int argc,
                const char* const* argv) {
  Options options;
  std::vector<Flag> flags = {HelpFlag("this text"), VersionFlag()};
  for (Flag& flag : FieldFlags(options)) flags.push_back(std::move(flag));

  std::vector<std::string>* const arguments =
      program.arguments ? &(options.*program.arguments) : nullptr;
  const absl::StatusOr<GivenFlags> given =
      ParseFlags(flags, argc, argv, arguments);
  if (!given.ok()) return Complain(program.name, given.status(), 2);
  if (given->count("help") > 0) {
    return Print(HelpText(program.name, program.introduction, flags,
                          program.arguments_name));
  }
  if (given->count("version") > 0) return Print(VersionText(program.name));
  absl::Status status = SetFields(*given, &options);
  status.Update(CheckFields(options));
  status.Update(Validate(options));
  if (!status.ok()) return Complain(program.name, status, 2);

  ResolvePaths(&options);
  if (arguments != nullptr) {
    for (std::string& path : *arguments) path = UserPath(path);
  }
  status = WithMemoryAdvice(OrMemoryError([&] { return program.run(options); }),
                            program.memory_advice);
  if (status.ok()) return 0;
  const bool stopped = absl::IsCancelled(status) && Interrupted() != 0;
  return Complain(program.name, status, stopped ? 128 + Interrupted() : 1);
}

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_PROGRAM_H_
