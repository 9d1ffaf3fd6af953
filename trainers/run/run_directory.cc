#include "trainers/run/run_directory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFiles[] = {
    kConfigFile, kMetricsFile, kResultFile, kReportFile, kEvaluationFile,
};

// Those, and every checkpoint.
std::vector<fs::path> RunFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const char* name : kRunFiles) {
    if (fs::exists(folder / name, error)) files.push_back(folder / name);
  }
  for (const std::string& path : CheckpointFiles(folder)) files.push_back(path);
  return files;
}

}  // namespace

std::vector<std::string> CheckpointFiles(const std::string& folder) {
  std::vector<std::string> checkpoints;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    if (absl::StartsWith(name, "checkpoint-") && absl::EndsWith(name, ".pt")) {
      checkpoints.push_back(it->path());
    }
  }
  std::sort(checkpoints.begin(), checkpoints.end());
  return checkpoints;
}

absl::Status MakeRunDirectory(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return absl::ErrnoToStatus(
        error.value(), absl::StrCat("--output_dir: cannot create ", folder));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("--output_dir: no permission to write in ", folder));
  }
  return absl::OkStatus();
}

absl::Status PrepareRunDirectory(const Config& config) {
  if (config.resume) return absl::OkStatus();
  for (const fs::path& file : RunFiles(config.output_dir)) {
    std::error_code error;
    if (!config.overwrite) {
      return absl::AlreadyExistsError(absl::StrCat(
          config.output_dir, " already has a run in it (",
          file.filename().string(),
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
