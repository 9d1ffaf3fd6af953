#ifndef GSG_TRAINERS_BASE_PROGRAM_COMMAND_H_
#define GSG_TRAINERS_BASE_PROGRAM_COMMAND_H_

#include <string>

#include "absl/strings/string_view.h"

namespace gsg {

// What to type to start another of the programs, up to its flags:
// "./bazelw run //trainers:evaluate --", or "gsg evaluate" where the wheel
// installed it, which the wheel says in GSG_COMMAND.
std::string ProgramCommand(absl::string_view program);

// The same for training by `method`.
std::string TrainingCommand(absl::string_view method);

}  // namespace gsg

#endif  // GSG_TRAINERS_BASE_PROGRAM_COMMAND_H_
