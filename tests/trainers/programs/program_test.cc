#include "trainers/programs/program.h"

#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "trainers/config/field.h"

namespace gsg {
namespace {

struct Options {
  std::string how = "well";
};

void ForEachField(Options& options, FieldVisitor visit) {
  visit(&options.how, Field{"how", "Test", "how it ends"});
}

absl::Status Validate(const Options&) { return absl::OkStatus(); }

absl::Status Run(const Options& options) {
  if (options.how == "well") return absl::OkStatus();
  if (options.how == "without memory") throw std::bad_alloc();
  return absl::ResourceExhaustedError("No space left on device");
}

// What it says on stderr when it ends so, with that exit code.
std::string SaidBy(const char* how, int exit_code,
                   absl::string_view memory_advice) {
  Program<Options> program = {"test", "Tests.\n", Run};
  program.memory_advice = memory_advice;
  const std::string flag = std::string("--how=") + how;
  const char* const arguments[] = {"test", flag.c_str()};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ProgramMain(program, 2, arguments), exit_code);
  return ::testing::internal::GetCapturedStderr();
}

TEST(ProgramMainTest, MemoryThatRunsOutIsOneMessage) {
  EXPECT_EQ(SaidBy("well", 0, "use less"), "");
  EXPECT_EQ(SaidBy("without memory", 1, ""), "test: memory ran out\n");
  EXPECT_EQ(SaidBy("without memory", 1, "use less"),
            "test: memory ran out: use less\n");
  EXPECT_EQ(SaidBy("on a full disk", 1, "use less"),
            "test: No space left on device\n");
}

}  // namespace
}  // namespace gsg
