#include "trainers/engine/run_directory.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFiles[] = {
    kConfigFile,
    kMetricsFile,
    kResultFile,
    kReportFile,
    kEvaluationFile,
    "checkpoint-last.pt",
    "checkpoint-previous.pt",
};

}  // namespace

absl::Status PrepareRunDirectory(const Config& config) {
  const fs::path folder = config.output_dir;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(),
        absl::StrCat("--output_dir: cannot create ", config.output_dir));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "--output_dir: no permission to write in ", config.output_dir));
  }
  if (config.resume) return absl::OkStatus();
  for (const char* name : kRunFiles) {
    const fs::path file = folder / name;
    if (!fs::exists(file, error)) continue;
    if (!config.overwrite) {
      return absl::AlreadyExistsError(absl::StrCat(
          config.output_dir, " already has a run in it (", name,
          "): continue it with --resume, replace it with --overwrite, or "
          "choose another --output_dir"));
    }
    if (!fs::remove(file, error)) {
      return absl::ErrnoToStatus(error.value(),
                                 absl::StrCat("cannot remove ", file.string()));
    }
  }
  return absl::OkStatus();
}

}  // namespace gsg
