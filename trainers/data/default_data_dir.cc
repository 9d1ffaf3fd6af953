#include "trainers/data/default_data_dir.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/cpp/runfiles/runfiles.h"

namespace gsg {
namespace {

using ::bazel::tools::cpp::runfiles::Runfiles;

// A file of the data set rather than its folder: a runfiles manifest lists
// files only.
constexpr char kFashionMnist[] =
    "fashion_mnist/usr/share/datasets/fashion-mnist/"
    "train-images-idx3-ubyte.gz";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where the executable may think it lies: as it was called, and as the kernel
// knows it (called through PATH or a link from elsewhere).
std::vector<std::string> Executables() {
  std::vector<std::string> paths = {program_invocation_name};
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) paths.push_back(self.string());
  return paths;
}

}  // namespace

absl::StatusOr<std::string> DefaultDataDir(absl::string_view name) {
  if (name != "fashion_mnist") {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": no copy comes with this program; pass --data_dir=<folder>"));
  }
  std::vector<std::unique_ptr<Runfiles>> places;
  for (const char* variable :
       {"RUNFILES_DIR", "JAVA_RUNFILES", "TEST_SRCDIR"}) {
    if (const std::string dir = Environment(variable); !dir.empty()) {
      places.emplace_back(Runfiles::Create("", "", dir));
    }
  }
  const std::vector<std::string> executables = Executables();
  for (const std::string& path : executables) {
    places.emplace_back(
        Runfiles::Create(path, Environment("RUNFILES_MANIFEST_FILE"), ""));
  }
  for (const std::unique_ptr<Runfiles>& runfiles : places) {
    if (runfiles == nullptr) continue;
    const std::filesystem::path file = runfiles->Rlocation(kFashionMnist);
    std::error_code error;
    if (!file.empty() && std::filesystem::exists(file, error)) {
      return file.parent_path().string();
    }
  }
  return absl::NotFoundError(absl::StrCat(
      "fashion_mnist: no Bazel runfiles beside ", executables.back(),
      " (was the binary copied out of bazel-bin?); pass --data_dir=<folder "
      "with train-images-idx3-ubyte.gz and its three companions>"));
}

}  // namespace gsg
