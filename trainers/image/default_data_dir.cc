#include "trainers/image/default_data_dir.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/base/runfiles.h"

namespace gsg {
namespace {

constexpr char kFashionMnist[] =
    "fashion_mnist/usr/share/datasets/fashion-mnist/"
    "train-images-idx3-ubyte.gz";

}  // namespace

absl::StatusOr<std::string> DefaultDataDir(absl::string_view name) {
  if (name != "fashion_mnist") {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": no copy comes with this program; pass --data_dir=<folder>"));
  }
  const std::string file = FindRunfile(kFashionMnist);
  if (file.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "fashion_mnist: no Bazel runfiles beside ", ThisExecutable(),
        " (was the binary copied out of bazel-bin?); pass --data_dir=<folder "
        "with train-images-idx3-ubyte.gz and its three companions>"));
  }
  return std::filesystem::path(file).parent_path().string();
}

}  // namespace gsg
