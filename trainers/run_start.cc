#include "trainers/run_start.h"

#include <c10/core/Device.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/cpus.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/json.h"
#include "trainers/config/paths.h"
#include "trainers/distributed/environment.h"
#include "trainers/distributed/world.h"
#include "trainers/evaluate/device.h"
#include "trainers/run/resume.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_lock.h"
#include "trainers/run/run_state.h"
#include "trainers/run_length.h"
#include "trainers/weights/weight_file.h"

namespace gsg {
namespace {

// Where the run begins: at its start, or where a saved one stopped, whose
// folder is locked before it is read.
absl::StatusOr<ResumePoint> StartingPoint(const CommandLine& command_line,
                                          RunLock* lock) {
  if (command_line.config.resume) {
    GSG_ASSIGN_OR_RETURN(*lock, RunLock::Take(command_line.config.output_dir));
    return FindResumePoint(command_line);
  }
  ResumePoint point;
  point.config = command_line.config;
  if (point.config.output_dir.empty()) {
    point.config.output_dir =
        DefaultOutputDir(point.config, absl::Now(), absl::LocalTimeZone());
  }
  return point;
}

// Reads the file of --init, and notes in `config` which it is.
absl::StatusOr<WeightFile> ReadInit(Config& config) {
  GSG_ASSIGN_OR_RETURN(WeightFile file, ReadWeightFile(config.init));
  if (!config.init_sha256.empty() && config.init_sha256 != file.sha256) {
    return absl::InvalidArgumentError(
        absl::StrCat("--init=", config.init, " is another file than that of ",
                     "--init_sha256: its SHA-256 is ", file.sha256));
  }
  config.init_sha256 = file.sha256;
  return file;
}

// What a run that does not resume needs before it starts: values that fit the
// images, weights to start from.
absl::Status PrepareStart(const CommandLine& command_line,
                          const Placement& placement, RunStart* start) {
  Config& config = start->point.config;
  if (config.fit) {
    GSG_ASSIGN_OR_RETURN(const c10::Device device,
                         ChooseDevice(config.device, placement.local_rank));
    const int cpus = UsableCpus() / placement.local_size.value_or(1);
    GSG_ASSIGN_OR_RETURN(start->fitted,
                         FitRun(command_line.given, device.is_cuda(),
                                std::max(1, cpus), &config, &start->dataset));
  }
  if (!config.init.empty()) {
    GSG_ASSIGN_OR_RETURN(start->weights, ReadInit(config));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunStart> StartOfRanks(const CommandLine& command_line,
                                      World& world) {
  RunStart start;
  absl::StatusOr<std::string> text = std::string();
  if (world.root()) {
    absl::StatusOr<ResumePoint> point =
        StartingPoint(command_line, &start.lock);
    absl::Status ready = point.status();
    if (point.ok()) {
      start.point = *std::move(point);
      start.resumes = start.point.checkpoint.has_value();
      if (!start.resumes) {
        ready = PrepareStart(command_line, world.placement(), &start);
      }
    }
    if (ready.ok()) {
      start.rehearses = !start.resumes && (!start.fitted.empty() ||
                                           start.point.config.minutes > 0);
      const int64_t ranks = start.point.state.ranks;
      if (start.resumes && ranks != world.size()) {
        absl::StrAppend(&start.point.warning, "the run had ", ranks,
                        ranks == 1 ? " process" : " processes", " and now has ",
                        world.size(),
                        ": it goes on, but not bit for bit as it would have "
                        "been");
      }
      if (world.size() > 1) {
        text =
            absl::StrCat(start.resumes ? "+" : "-", start.rehearses ? "+" : "-",
                         StateToJson(start.point.state, start.point.config));
      }
    } else {
      text = ready;
    }
  }
  text = world.FromRoot(text);
  if (!text.ok()) return text.status();
  if (world.root()) return start;
  GSG_ASSIGN_OR_RETURN(SavedRun run, StateFromJson(text->substr(2)));
  start.point.config = std::move(run.config);
  start.point.state = std::move(run.state);
  start.resumes = text->at(0) == '+';
  start.rehearses = text->at(1) == '+';
  return start;
}

absl::Status WriteConfig(const Config& config) {
  return WriteFileAtomically(absl::StrCat(config.output_dir, "/", kConfigFile),
                             ToJson(config));
}

absl::Status BeginFolder(const Config& config, RunLock* lock) {
  GSG_RETURN_IF_ERROR(MakeRunDirectory(config.output_dir));
  if (!config.resume) {
    GSG_ASSIGN_OR_RETURN(*lock, RunLock::Take(config.output_dir));
  }
  GSG_RETURN_IF_ERROR(PrepareRunDirectory(config));
  return WriteConfig(config);
}

void AbandonFolder(const Config& config) {
  if (config.resume || !CheckpointFiles(config.output_dir).empty()) return;
  std::error_code error;
  std::filesystem::remove(absl::StrCat(config.output_dir, "/", kConfigFile),
                          error);
}

}  // namespace gsg
