// A command line, one argument a line: flags, recipes.

#include "trainers/config/command_line.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/trainers/fuzz/check.h"
#include "trainers/config/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::vector<const char*> arguments = {"program"};
  for (const std::string& line : lines) {
    // It would read whatever file there is of that name.
    if (!absl::StrContains(line, "config")) arguments.push_back(line.c_str());
  }
  const absl::StatusOr<gsg::CommandLine> command_line = gsg::ParseCommandLine(
      "simsiam_gsg", "fashion_mnist", arguments.size(), arguments.data());
  if (!command_line.ok() || !command_line->print.empty()) return 0;
  // What a command line gives can be written down and read again.
  GSG_FUZZ_CHECK(gsg::FromJson(gsg::ToJson(command_line->config)).ok());
  return 0;
}
