#include "trainers/base/runfiles.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "tools/cpp/runfiles/runfiles.h"

namespace gsg {
namespace {

using ::bazel::tools::cpp::runfiles::Runfiles;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string FindRunfile(const std::string& path) {
  std::vector<std::unique_ptr<Runfiles>> places;
  for (const char* variable :
       {"RUNFILES_DIR", "JAVA_RUNFILES", "TEST_SRCDIR"}) {
    if (const std::string dir = Environment(variable); !dir.empty()) {
      places.emplace_back(Runfiles::Create("", "", dir));
    }
  }
  // Where the executable may think it lies: as it was called, and as the
  // kernel knows it (called through PATH or a link from elsewhere).
  for (const std::string& executable :
       {std::string(program_invocation_name), ThisExecutable()}) {
    if (executable.empty()) continue;
    places.emplace_back(Runfiles::Create(
        executable, Environment("RUNFILES_MANIFEST_FILE"), ""));
  }
  for (const std::unique_ptr<Runfiles>& runfiles : places) {
    if (runfiles == nullptr) continue;
    std::string file = runfiles->Rlocation(path);
    std::error_code error;
    if (!file.empty() && std::filesystem::exists(file, error)) return file;
  }
  return "";
}

std::string ThisExecutable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

}  // namespace gsg
