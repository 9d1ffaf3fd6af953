#include "trainers/image/default_data_dir.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

// Bazel sets these for a test; each alone must do, as must none, which leaves
// the executable's own place (unless the test was started through a link).
constexpr const char* kVariables[] = {"RUNFILES_DIR", "JAVA_RUNFILES",
                                      "TEST_SRCDIR", "RUNFILES_MANIFEST_FILE"};

class DefaultDataDirTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { runfiles_ = std::getenv("TEST_SRCDIR"); }

  void SetUp() override {
    for (const char* variable : kVariables) unsetenv(variable);
  }

  void ExpectFound() {
    const absl::StatusOr<std::string> dir = DefaultDataDir("fashion_mnist");
    ASSERT_TRUE(dir.ok()) << dir.status();
    EXPECT_TRUE(std::filesystem::exists(*dir + "/t10k-labels-idx1-ubyte.gz"));
  }

  static std::string runfiles_;
};

std::string DefaultDataDirTest::runfiles_;

TEST_F(DefaultDataDirTest, FoundBesideTheExecutable) { ExpectFound(); }

TEST_F(DefaultDataDirTest, FoundFromEachVariable) {
  for (const char* variable : {"RUNFILES_DIR", "JAVA_RUNFILES"}) {
    SCOPED_TRACE(variable);
    setenv(variable, runfiles_.c_str(), /*overwrite=*/1);
    ExpectFound();
    unsetenv(variable);
  }
}

TEST_F(DefaultDataDirTest, AStaleVariableDoesNoHarm) {
  setenv("RUNFILES_DIR", "/nonexistent", /*overwrite=*/1);
  ExpectFound();
}

TEST_F(DefaultDataDirTest, OtherDataSets) {
  const absl::Status status = DefaultDataDir("cifar10").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--data_dir"));
}

}  // namespace
}  // namespace gsg
