#include "trainers/programs/run_options.h"

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "trainers/run/checkpoint.h"

namespace gsg {

absl::Status CheckRun(const RunOptions& options) {
  if (options.run.empty() && options.checkpoint.empty()) {
    return absl::InvalidArgumentError(
        "which run? Give its folder with --run=DIR, or a checkpoint with "
        "--checkpoint=FILE");
  }
  if (!options.run.empty() && !options.checkpoint.empty()) {
    return absl::InvalidArgumentError(
        "--run and --checkpoint both name a network: give one of them");
  }
  return absl::OkStatus();
}

std::string CheckpointPath(const RunOptions& options) {
  return options.checkpoint.empty() ? LastCheckpointPath(options.run)
                                    : options.checkpoint;
}

std::string RunFolder(const RunOptions& options) {
  if (!options.run.empty()) return options.run;
  const auto folder = std::filesystem::path(options.checkpoint).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace gsg
