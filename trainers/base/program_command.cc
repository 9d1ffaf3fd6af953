#include "trainers/base/program_command.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {

std::string ProgramCommand(absl::string_view program) {
  if (const char* const installed = std::getenv("GSG_COMMAND")) {
    return absl::StrCat(installed, " ", program);
  }
  return absl::StrCat("./bazelw run //trainers:", program, " --");
}

std::string TrainingCommand(absl::string_view method) {
  if (std::getenv("GSG_COMMAND") != nullptr) {
    return absl::StrCat(ProgramCommand("train"), " --method=", method);
  }
  return ProgramCommand(method);
}

}  // namespace gsg
