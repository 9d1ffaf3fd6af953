#include "trainers/programs/program.h"

#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace gsg {

int Complain(absl::string_view program, const absl::Status& status,
             int exit_code) {
  absl::FPrintF(stderr, "%s: %s\n", program, status.message());
  return exit_code;
}

int Print(absl::string_view text) {
  absl::PrintF("%s", text);
  return 0;
}

}  // namespace gsg
