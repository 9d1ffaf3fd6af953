#include "trainers/run/resume.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/config/command_line.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/json.h"
#include "trainers/config/resume.h"
#include "trainers/run/checkpoint.h"
#include "trainers/run/good_checkpoints.h"
#include "trainers/run/run_directory.h"
#include "trainers/run/run_state.h"

namespace gsg {
namespace {

// What to say of a checkpoint that could not be read: the same, and the way on,
// `good` being the folder's others.
absl::Status OfferOlder(const absl::Status& damage, const std::string& folder,
                        const std::vector<GoodCheckpoint>& good) {
  if (good.empty()) {
    return absl::DataLossError(
        absl::StrCat(damage.message(), ". There is no other checkpoint in ",
                     folder, " that is good; start again with --overwrite."));
  }
  const GoodCheckpoint& newest = good.front();
  // One that is kept for good stays.
  const bool kept = newest.batch == 0 &&
                    newest.path == EpochCheckpointPath(folder, newest.epoch);
  return absl::DataLossError(absl::StrCat(
      damage.message(), ". One before it is good (", newest.Progress(),
      " done). To continue from there:\n  ", kept ? "cp " : "mv ", newest.path,
      " ", LastCheckpointPath(folder)));
}

// The configuration of a run that has no checkpoint yet.
absl::StatusOr<Config> SavedConfig(const std::string& folder) {
  absl::StatusOr<std::string> text =
      ReadFile(absl::StrCat(folder, "/", kConfigFile));
  if (!text.ok()) {
    return absl::NotFoundError(absl::StrCat(
        "--resume: there is no run in ", folder, " (no ", kConfigFile,
        " and no checkpoint). Leave --resume out to start one."));
  }
  return FromJson(*text);
}

std::string Warning(const Config& saved, const Config& config) {
  std::string warning;
  for (const FieldDifference& field : DifferingFields(saved, config)) {
    if (field.on_resume != OnResume::kWarn) continue;
    absl::StrAppend(&warning, "--", field.name, " was ", field.saved,
                    " and is now ", field.now, ": ",
                    field.name == "epochs"
                        ? absl::StrCat("from here on the learning rate is that "
                                       "of a run of ",
                                       field.now,
                                       " epochs, which falls to 0 at their "
                                       "end. ")
                        : "the run goes on, but not bit for bit as it would "
                          "have been. ");
  }
  return warning;
}

}  // namespace

absl::StatusOr<ResumePoint> FindResumePoint(const CommandLine& command_line) {
  const std::string& folder = command_line.config.output_dir;
  ResumePoint point;
  Config saved;
  const std::string last = LastCheckpointPath(folder);
  absl::StatusOr<Checkpoint> checkpoint = LoadCheckpoint(last);
  if (absl::IsDataLoss(checkpoint.status())) {
    return OfferOlder(checkpoint.status(), folder,
                      GoodCheckpoints(folder, last));
  }
  if (absl::IsNotFound(checkpoint.status())) {
    // Starting over would overwrite good checkpoints.
    const std::vector<GoodCheckpoint> good = GoodCheckpoints(folder, last);
    if (!good.empty()) {
      return OfferOlder(
          absl::DataLossError(absl::StrCat("--resume: there is no ", last)),
          folder, good);
    }
    GSG_ASSIGN_OR_RETURN(Config config, SavedConfig(folder));
    saved = std::move(config);
  } else if (!checkpoint.ok()) {
    return checkpoint.status();
  } else {
    GSG_ASSIGN_OR_RETURN(SavedRun run, StateFromJson(checkpoint->meta));
    saved = std::move(run.config);
    point.state = std::move(run.state);
    point.checkpoint = *std::move(checkpoint);
  }
  GSG_ASSIGN_OR_RETURN(
      Config config,
      ConfigForResume(saved, command_line.config, command_line.given));
  point.config = std::move(config);
  point.warning = Warning(saved, point.config);
  return point;
}

}  // namespace gsg
