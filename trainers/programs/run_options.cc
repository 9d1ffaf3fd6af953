#include "trainers/programs/run_options.h"

#include <c10/core/Device.h>

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/config/field.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/saved_network.h"

namespace gsg {

void ForEachRunField(RunOptions& options, FieldVisitor visit) {
  constexpr absl::string_view kRun = "Run";
  visit(&options.run, Field{"run", kRun, "a trainer's --output_dir"}.Path());
  visit(&options.checkpoint,
        Field{"checkpoint", kRun,
              "a checkpoint, where it is not the last one of --run"}
            .Path());
  visit(&options.weights,
        Field{"weights", kRun,
              "instead of a run, a backbone's weights in a file of torchvision "
              "(.pth) or timm (.safetensors), or a checkpoint of DINO or MoCo"}
            .Path());
}

void ForEachComputeField(ComputeOptions& options, FieldVisitor visit) {
  constexpr absl::string_view kRun = "Run";
  visit(&options.device,
        Field{"device", kRun, "auto = cuda if there is one, or cpu"}.OneOf(
            {"auto", "cpu", "cuda"}));
  visit(&options.threads,
        Field{"threads", kRun, "CPU threads to compute with, 0 = all"}.Between(
            0, 1024));
}

absl::Status CheckRun(const RunOptions& options) {
  const int given = !options.run.empty() + !options.checkpoint.empty() +
                    !options.weights.empty();
  if (given == 0) {
    return absl::InvalidArgumentError(
        "which network? Give a run's folder with --run=DIR, a checkpoint with "
        "--checkpoint=FILE, or released weights with --weights=FILE");
  }
  if (given > 1) {
    return absl::InvalidArgumentError(
        "--run, --checkpoint and --weights all name a network: give one of "
        "them");
  }
  return absl::OkStatus();
}

std::string NetworkPath(const RunOptions& options) {
  if (!options.weights.empty()) return options.weights;
  return options.checkpoint.empty() ? LastCheckpointPath(options.run)
                                    : options.checkpoint;
}

absl::StatusOr<SavedNetwork> OpenNetwork(const RunOptions& options,
                                         c10::Device device) {
  const std::string path = NetworkPath(options);
  return options.weights.empty() ? LoadNetwork(path, device)
                                 : LoadReleasedNetwork(path, device);
}

std::string RunFolder(const RunOptions& options) {
  if (!options.weights.empty()) return ".";
  if (!options.run.empty()) return options.run;
  const auto folder = std::filesystem::path(options.checkpoint).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace gsg
