#include "trainers/programs/program.h"

#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "trainers/base/memory.h"

namespace gsg {

int Complain(absl::string_view program, const absl::Status& status,
             int exit_code) {
  absl::FPrintF(stderr, "%s: %s\n", program, status.message());
  return exit_code;
}

absl::Status WithMemoryAdvice(absl::Status status, absl::string_view advice) {
  if (!MemoryRanOut(status) || advice.empty()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), ": ", advice));
}

int Print(absl::string_view text) {
  absl::PrintF("%s", text);
  return 0;
}

}  // namespace gsg
